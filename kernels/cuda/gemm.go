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
	cmd.Cost.Tile, cmd.Cost.Wide = p.tileCost(rows, smallTile), p.tileCost(rows, smallTile)
	if tile == manyRows {
		cmd.Cost.Tile, cmd.Cost.Wide = p.tileCost(rows, largeTile), p.tileCost(rows, wideTile)
	}
}

// tileShape is a tile and the part of it that a warp has.
type tileShape struct{ rows, columns, warpRows, warpColumns int }

var (
	smallTile = tileShape{fewRows, gemmColumns, 16, 16}
	largeTile = tileShape{manyRows, gemmColumns, 32, 16}
	wideTile  = tileShape{128, 128, 64, 32} // which there is not; see tileRows
)

// tileCost is what the product takes in tiles of a shape: each number of x and of w is
// written once for its tile and read by every warp that multiplies with it.
func (p *product) tileCost(rows int, t tileShape) (c TileCost) {
	bytes, planes := 1.0, 1.0
	switch p.kind {
	case kernels.F32:
		bytes = 4
	case kernels.F16:
		bytes, planes = 2, 2
	case kernels.BF16:
		bytes = 2
	}
	of := func(n int) float64 { return bytes / float64(n) }
	each := planes*of(t.columns) + of(t.rows) + planes*of(t.warpColumns) + of(t.warpRows)
	for _, s := range p.segments {
		whole := float64(ceil(rows, t.rows) * t.rows * ceil(s.Key.Weight.Rows()*s.Matrices, t.columns) * t.columns)
		c.Operations += 2 * planes * whole * float64(p.Cols)
		c.Shared += each * whole * float64(p.Cols)
	}
	return c
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

// tileRows chooses the tile. One of 128 by 128 moves half as much through shared memory,
// which bounds the tile of 64 where there are many rows. Of the models that kuai runs only
// Whisper's encoder on thirty seconds has them (1500 rows), and of it
// kuai bench cuda --static predicts what that would save at most: 17 % of a run on an
// Orin, 23 % on an H100, and nothing for the fifty rows of CLIP, a prompt of SmolLM2 and
// the policy, which weights or launches bound; a command of three seconds is 200 rows. It
// would take 64 sums a thread, so 128 registers or more and two blocks of eight warps on a
// multiprocessor (33 % of its warps on an Orin, 25 % on an H100); the two planes of f16, as
// Whisper is stored, are 70 KB, more than a block may declare; and 1500 by 512 are 48
// such tiles, for the 132 multiprocessors of an H100. So there is none until a card has
// shown what it gains. Unpacking blocks of GGUF takes 74 registers: 50 % occupancy on an
// Orin, 38 % on an H100.
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
