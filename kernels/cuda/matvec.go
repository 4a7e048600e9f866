package cuda

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// The variant of four rows for q4_1 may take 72 registers (58 % occupancy on an Orin, 50 %
// on an H100, where it takes 64). Bound to 64 it spills, and a spill is read and written
// for each block of weights, where an eighth block would only hide waits that seven hide.

// matvecShared is the most shared memory for the rows of each variant: with four
// rows more would leave less than half of the warps, and tiles are as good.
var matvecShared = map[int]int{1: 48 << 10, 4: 24 << 10}

// matvecRows is the variant of matvec.cu for a number of rows, 0 for none.
func (p *product) matvecRows(rows int) int {
	for _, n := range []int{1, 4} {
		if rows <= n {
			if p.matvecBytes(n) <= matvecShared[n] {
				return n
			}
			return 0
		}
	}
	return 0
}

// matvecBytes is the shared memory for prepared rows.
func (p *product) matvecBytes(rows int) int {
	width := padded(p.Cols)
	switch {
	case isBlocks(p.kind):
		return rows * (width + 8*width/32)
	case p.kind == kernels.I8:
		return rows * (width + 4)
	}
	return rows * width * 4
}

// matvec gives each warp several outputs, so that preparing the rows is worth
// it, as long as every multiprocessor has some blocks.
func (p *product) matvec(r *recorder, c *cProduct, cmd *Command, rows int) {
	const warps, blocksEach, most = matvecThreads / 32, 4, 8
	outputs := 0
	for _, s := range p.segments {
		outputs += s.Key.Weight.Rows()
	}
	c.perWarp = int32(min(max(1, outputs/(warps*blocksEach*r.device().SMs)), most))
	blocks := 0
	for i, s := range p.segments {
		c.segments[i].first = int32(blocks)
		blocks += ceil(s.Key.Weight.Rows(), warps*int(c.perWarp))
	}
	cmd.Kernel = fmt.Sprintf("matvec_%s_%d", p.kind, rows)
	cmd.Grid = [3]int{blocks, 1, 1}
	cmd.Shared = p.matvecBytes(rows)
	if p.kind != kernels.F32 {
		cmd.Cost.Units = CUDACores
	}
}
