package ref

import "github.com/kuai-robot/kuai/kernels"

func (e *executable[T]) embed(op kernels.Embed, out kernels.Value) step[T] {
	table, cols := e.weight(op.Table, kernels.Float32), op.Table.Cols()
	rows, scale := e.graph.Shape(op.IDs)[0], op.Scale
	if scale == 0 {
		scale = 1
	}
	return func(in *instance[T], s *kernels.Scalars) {
		for r, id := range in.i32[op.IDs][:rows.At(s)] {
			for c, v := range table[int(id)*cols : (int(id)+1)*cols] {
				in.f32[out][r*cols+c] = v * scale
			}
		}
	}
}

func (e *executable[T]) gather(op kernels.Gather, out kernels.Value) step[T] {
	_, cols := e.size(op.X)
	n := e.graph.Shape(op.Rows)[0]
	return func(in *instance[T], s *kernels.Scalars) {
		for i, r := range in.i32[op.Rows][:n.At(s)] {
			copy(in.f32[out][i*cols:(i+1)*cols], in.f32[op.X][int(r)*cols:])
		}
	}
}

func (e *executable[T]) constant(op kernels.Const, out kernels.Value) step[T] {
	w := e.weight(op.W, kernels.Float32)
	return func(in *instance[T], _ *kernels.Scalars) { copy(in.f32[out], w) }
}

func (e *executable[T]) pad(op kernels.Pad, out kernels.Value) step[T] {
	frames, cols := e.size(op.X)
	n := frames.Max()
	return func(in *instance[T], _ *kernels.Scalars) {
		for i := range op.Left + n + op.Right {
			t := i - op.Left
			if t < 0 {
				t = -t
			} else if t >= n {
				t = 2*(n-1) - t
			}
			copy(in.f32[out][i*cols:(i+1)*cols], in.f32[op.X][t*cols:])
		}
	}
}

func (e *executable[T]) meanRows(op kernels.MeanRows, out kernels.Value) step[T] {
	rows, cols := e.size(op.X)
	return func(in *instance[T], s *kernels.Scalars) {
		n := rows.At(s)
		for c := range cols {
			var sum T
			for r := range n {
				sum += T(in.f32[op.X][r*cols+c])
			}
			in.f32[out][c] = float32(sum / T(max(1, n)))
		}
	}
}

func (e *executable[T]) concat(op kernels.Concat, out kernels.Value) step[T] {
	_, width := e.size(out)
	return func(in *instance[T], s *kernels.Scalars) {
		at := 0
		for _, v := range op.Xs {
			rows, cols := e.size(v)
			n := rows.At(s)
			if op.Axis == 0 {
				at += copy(in.f32[out][at:], in.f32[v][:n*cols])
				continue
			}
			for r := range n {
				copy(in.f32[out][r*width+at:], in.f32[v][r*cols:(r+1)*cols])
			}
			at += cols
		}
	}
}

func (e *executable[T]) slice(op kernels.Slice, out kernels.Value) step[T] {
	_, from := e.size(op.X)
	rows, cols := e.size(out)
	return func(in *instance[T], s *kernels.Scalars) {
		x, dst := in.f32[op.X], in.f32[out]
		if op.Axis == 0 {
			copy(dst[:rows.At(s)*cols], x[op.Start*cols:])
			return
		}
		for r := range rows.At(s) {
			copy(dst[r*cols:(r+1)*cols], x[r*from+op.Start:])
		}
	}
}

func (e *executable[T]) reshape(op kernels.Reshape, out kernels.Value) step[T] {
	shape := e.graph.Shape(op.X)
	return func(in *instance[T], s *kernels.Scalars) {
		copy(in.f32[out], in.f32[op.X][:shape.Len(s)])
	}
}
