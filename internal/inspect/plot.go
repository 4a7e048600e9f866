package inspect

import (
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/robot"
)

// plots gathers what is drawn.
type plots struct {
	begins    robot.Time
	names     []string
	position  [robot.MaxJoints]series
	commanded [robot.MaxJoints]series
	lateness  map[string]*series
	stateAge  series
	lostTicks series
	lost      series
	mode      series
	modes     []string
}

func (p *plots) late(topic string, at robot.Time, ms float64) {
	if p.lateness == nil {
		p.lateness = map[string]*series{}
	}
	if p.lateness[topic] == nil {
		p.lateness[topic] = &series{}
	}
	p.lateness[topic].add(at, ms)
}

func (p *plots) measured(names []string, s *robot.State) {
	p.names = names
	for i := range names {
		p.position[i].add(s.At, s.Position[i])
	}
}

func (p *plots) command(c *replay.Command, age float64, lost uint64) {
	for i := 0; c.Enable && i < len(c.Position); i++ {
		p.commanded[i].add(c.At, c.Position[i])
	}
	if c.State.At != 0 {
		p.stateAge.add(c.At, age)
	}
	p.lostTicks.add(c.At, float64(lost))
	for i, m := range p.modes {
		if m == c.Mode {
			p.mode.add(c.At, float64(i))
			return
		}
	}
	p.modes = append(p.modes, c.Mode)
	p.mode.add(c.At, float64(len(p.modes)-1))
}

func (p *plots) dropped(at robot.Time, samples uint64) { p.lost.add(at, float64(samples)) }

// line is one curve of a panel.
type line struct {
	name   string
	colour color.Color
	s      *series
}

// panel is one diagram.
type panel struct {
	title, unit string
	lines       []line
	ticks       []string // names of the values 0, 1 and so on
}

// Palette of Okabe and Ito, which colour-blind people can tell apart.
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255},
}

// Plots writes joints.png, latency.png, drops.png and verdicts.png into the
// folder dir and gives their paths; what a recording does not hold is not
// drawn.
func (s *Summary) Plots(dir string) (paths []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, picture := range []struct {
		name   string
		panels []panel
	}{
		{"joints.png", s.plots.joints()}, {"latency.png", s.plots.latency()},
		{"drops.png", s.plots.drops()}, {"verdicts.png", s.plots.verdicts()},
	} {
		if len(picture.panels) == 0 {
			continue
		}
		path := filepath.Join(dir, picture.name)
		if err := s.plots.write(path, picture.panels); err != nil {
			return paths, fmt.Errorf("plot %s: %w", path, err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (p *plots) joints() (panels []panel) {
	for i, name := range p.names {
		panels = append(panels, panel{title: name, unit: "rad or m", lines: []line{
			{"commanded", palette[1], &p.commanded[i]}, {"measured", palette[0], &p.position[i]},
		}})
	}
	return panels
}

func (p *plots) latency() (panels []panel) {
	var topics []string
	for t := range p.lateness {
		topics = append(topics, t)
	}
	sort.Strings(topics)
	if len(topics) > 0 {
		cameras := panel{title: "pictures: captured to written down", unit: "ms"}
		for i, t := range topics {
			cameras.lines = append(cameras.lines, line{t, palette[i%len(palette)], p.lateness[t]})
		}
		panels = append(panels, cameras)
	}
	if len(p.stateAge.at) > 0 {
		panels = append(panels, panel{title: "age of the joints' state at a tick", unit: "ms", lines: []line{{"", palette[0], &p.stateAge}}})
	}
	return panels
}

func (p *plots) drops() []panel {
	if len(p.lost.at)+len(p.lostTicks.at) == 0 {
		return nil
	}
	return []panel{{title: "lost since the begin", unit: "count", lines: []line{{"samples", palette[0], &p.lost}, {"ticks", palette[1], &p.lostTicks}}}}
}

func (p *plots) verdicts() []panel {
	if len(p.modes) == 0 {
		return nil
	}
	return []panel{{title: "mode of the safety core", lines: []line{{"", palette[0], &p.mode}}, ticks: p.modes}}
}

const (
	plotWidth   = 10 * vg.Inch
	panelHeight = 1.9 * vg.Inch
	plotDPI     = 96
)

// write draws the panels one below the other.
func (p *plots) write(path string, panels []panel) (err error) {
	rows := make([][]*plot.Plot, len(panels))
	for i := range panels {
		drawn, err := p.draw(&panels[i])
		if err != nil {
			return err
		}
		rows[i] = []*plot.Plot{drawn}
	}
	canvas := vgimg.NewWith(vgimg.UseWH(plotWidth, panelHeight*vg.Length(len(panels))), vgimg.UseDPI(plotDPI))
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadX: vg.Millimeter, PadY: 2 * vg.Millimeter, PadRight: 3 * vg.Millimeter, PadTop: vg.Millimeter}
	for i, row := range plot.Align(rows, tiles, draw.New(canvas)) {
		rows[i][0].Draw(row[0])
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = vgimg.PngCanvas{Canvas: canvas}.WriteTo(file)
	return err
}

// legendShare is how much higher than its lines a picture is.
const legendShare = 0.35

func (p *plots) draw(from *panel) (*plot.Plot, error) {
	out := plot.New()
	out.Title.Text, out.Y.Label.Text, out.X.Label.Text = from.title, from.unit, "s"
	out.Legend.Top = true
	out.Add(plotter.NewGrid())
	for _, l := range from.lines {
		if len(l.s.at) == 0 {
			continue
		}
		points := make(plotter.XYs, 0, len(l.s.at))
		for i, at := range l.s.at {
			points = append(points, plotter.XY{X: at.Sub(p.begins).Seconds(), Y: l.s.values[i]})
		}
		curve, err := plotter.NewLine(finite(points))
		if errors.Is(err, plotter.ErrNoData) {
			continue
		}
		if err != nil {
			return nil, err
		}
		curve.Color = l.colour
		if from.ticks != nil {
			curve.StepStyle = plotter.PostStep
		}
		out.Add(curve)
		if l.name != "" {
			out.Legend.Add(l.name, curve)
		}
	}
	if from.ticks != nil {
		out.NominalY(from.ticks...)
		return out, nil
	}
	// Room for the names above the lines.
	if high := out.Y.Max - out.Y.Min; high > 0 && len(from.lines) > 1 {
		out.Y.Max += legendShare * high
	}
	return out, nil
}

// finite leaves out what cannot be drawn.
func finite(points plotter.XYs) plotter.XYs {
	kept := points[:0]
	for _, p := range points {
		if plotter.CheckFloats(p.X, p.Y) == nil {
			kept = append(kept, p)
		}
	}
	return kept
}
