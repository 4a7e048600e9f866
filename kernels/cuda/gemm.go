package cuda

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// The tiles of gemm.cu.
const (
	gemmColumns   = 64
	fewRows       = 16 // rows of the small tile, and up to how many it is taken
	manyRows      = 64
	mostSplits    = 16
	matvecThreads = 128
)

// product is a step of matrix products.
type product struct {
	*plan.Product
	kind     kernels.DType // of the packed weights
	norm     *normOf
	partial  value // scratch for the parts of split products
	segments []*segment
}

// segment is one matrix of a product, or two, on the device.
type segment struct {
	*plan.Segment
	w, w2       cMatrix
	bias, bias2 Ptr
}

func (l *lowering) product(planned *plan.Product, s *plan.Step) *product {
	p := &product{Product: planned, kind: kernels.DType(planned.Group)}
	if planned.Norm != nil {
		p.norm = &normOf{Norm: *planned.Norm}
	}
	for _, s := range planned.Segments {
		p.segments = append(p.segments, &segment{Segment: s})
	}
	if bytes := p.partialBytes(l.device); bytes > 0 {
		p.partial = l.scratch(s, bytes)
	}
	return p
}

// load puts the weights and biases of a product on the device.
func (p *product) load(e *executable) (err error) {
	if p.norm != nil {
		if err = p.norm.load(e); err != nil {
			return err
		}
	}
	for _, s := range p.segments {
		if s.w, err = e.pack(s.Key); err != nil {
			return err
		}
		if s.Matrices == 2 {
			if s.w2, err = e.pack(s.Key2); err != nil {
				return err
			}
		}
		if s.bias, err = e.floats(s.Bias); err != nil {
			return err
		}
		if s.bias2, err = e.floats(s.Bias2); err != nil {
			return err
		}
	}
	return nil
}

// command chooses the kernel by the number of rows: up to four go through the
// weights together, more become tiles.
func (p *product) command(r *recorder) Command {
	rows := r.bound(p.Rows)
	c := cProduct{
		x: r.mat(p.X), norm: p.norm.param(), scalars: r.scalars, counter: r.counters,
		kind: int32(p.kind), inputs: int32(p.Cols), count: int32(len(p.segments)), splits: 1, limit: p.Limit, rowsBound: int32(rows),
	}
	c.x.rows, c.x.cols, c.x.ld = dimOf(p.Rows), int32(p.Cols), int32(p.Ld)
	c.vectors = flag(p.Ld%4 == 0 && c.x.at%16 == 0)
	if p.partial != 0 {
		c.partial = r.at(p.partial)
	}
	for i, s := range p.segments {
		c.segments[i] = s.param(r)
	}
	cmd := Command{Cost: p.cost(rows), Block: matvecThreads}
	if few := p.matvecRows(rows); few > 0 {
		p.matvec(r, &c, &cmd, few)
	} else {
		p.gemm(r, &c, &cmd, rows)
	}
	cmd.Params = raw(&c)
	return cmd
}

func (s *segment) param(r *recorder) cSegment {
	c := cSegment{
		w: s.w, w2: s.w2, bias: s.bias, bias2: s.bias2, to: r.at(s.To),
		outputs: int32(s.Key.Weight.Rows()), act: int32(s.Act), gated: flag(s.Matrices == 2), typ: int32(r.Info(s.To).Type),
		toLd: int32(r.Places[s.To].Ld), row: int32(s.Row.ID),
	}
	if s.Residual != 0 {
		c.residual, c.residualLd = r.at(s.Residual), int32(r.Places[s.Residual].Ld)
	}
	return c
}

func (p *product) gemm(r *recorder, c *cProduct, cmd *Command, rows int) {
	tile := tileRows(rows)
	columns := p.columnTiles(c)
	down := ceil(rows, tile)
	c.splits = int32(p.splits(r.device(), columns*down))
	cmd.Kernel = fmt.Sprintf("gemm_%s_%d", modeName(p.kind), tile)
	if tile == manyRows {
		cmd.Block = 256
	}
	cmd.Grid = [3]int{columns, down, int(c.splits)}
}

// columnTiles counts the tiles of all segments, and tells each its first.
func (p *product) columnTiles(c *cProduct) int {
	n := 0
	for i, s := range p.segments {
		width := gemmColumns / s.Matrices
		if c != nil {
			c.segments[i].first = int32(n)
		}
		n += ceil(s.Key.Weight.Rows(), width)
	}
	return n
}

// tileRows chooses the tile. A larger one, 128 by 128, would read less from the cache of
// the card, but the models that kuai runs have 50 to 1500 rows and 192 to 3072 columns:
// 1500 by 512 are 48 such tiles, which leaves most multiprocessors of an H100 without
// one, and splitting the inputs instead costs what the larger tile saves. Whether an Orin,
// with 8 multiprocessors, would gain has to be measured on one. Unpacking blocks of GGUF
// takes 74 registers: 50 % occupancy on an Orin, 38 % on an H100.
func tileRows(rows int) int {
	if rows <= 2*fewRows {
		return fewRows
	}
	return manyRows
}

// splits parts the inputs between blocks until there are two for each
// multiprocessor, but leaves each four steps at least.
func (p *product) splits(d Device, tiles int) int {
	steps := padded(p.Cols) / 32
	return max(1, min(2*d.SMs/tiles, steps/4, mostSplits))
}

// partialBytes is what the parts of a split product need whatever the number of
// rows: no more than two tiles for each multiprocessor are split.
func (p *product) partialBytes(d Device) int {
	if p.splits(d, p.columnTiles(nil)) == 1 {
		return 0
	}
	return 2 * d.SMs * manyRows * gemmColumns * 4
}

// mostCounters bounds the tiles that are split.
func mostCounters(d Device) int { return 2 * d.SMs }

func modeName(kind kernels.DType) string {
	if isBlocks(kind) {
		return "blocks"
	}
	return kind.String()
}

func ceil(n, by int) int { return (n + by - 1) / by }

func (p *product) cost(rows int) Cost {
	c := Cost{Bytes: 4 * float64(rows*p.Ld)}
	for _, s := range p.segments {
		outputs := float64(s.Key.Weight.Rows())
		c.Bytes += float64(packedBytes(s.Key)) * float64(s.Matrices)
		c.Bytes += 4 * float64(rows) * outputs * float64(1+min(1, int(s.Residual)))
		c.Operations += 2 * float64(rows) * outputs * float64(p.Cols) * float64(s.Matrices)
	}
	switch {
	case p.kind == kernels.BF16:
		c.Units = TensorHalf
	case p.kind == kernels.F16:
		c.Units = TensorHalf
		c.Operations *= 2 // rounded and the rest
	case p.kind != kernels.F32:
		c.Units = TensorInt8
	}
	return c
}
