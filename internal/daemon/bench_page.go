package daemon

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// manyPages is how many pages may be open without the control loop noticing.
const manyPages = 20

func benchPage(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	open := *c
	open.Access, open.TLS = config.Access{}, config.TLS{} // on loopback, for this measurement
	r, err := startRig(ctx, &open, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	alone, err := r.jitter(ctx, false)
	if err != nil {
		return nil, err
	}
	pages, err := openPages(ctx, r, manyPages)
	if err != nil {
		return nil, err
	}
	defer pages.close()
	beside, err := r.jitter(ctx, false)
	if err != nil {
		return nil, err
	}
	stop, err := r.pageStops(ctx, pages.sockets[0])
	if err != nil {
		return nil, err
	}
	pictures, err := pages.pictureAges()
	if err != nil {
		return nil, err
	}
	return []bench.Row{
		{Name: "page.compressed", Value: float64(web.PageBytes()) / 1e3, Unit: "kB", Bar: "<300"},
		{Name: "page.stop_p50", Value: bench.Percentile(stop, 0.5), Unit: "ms"},
		{Name: "page.stop_p99", Value: bench.Percentile(stop, 0.99), Unit: "ms", Bar: "<20"},
		{Name: "page.camera_latency", Value: bench.Percentile(pictures, 0.5), Unit: "ms", Bar: "<150"},
		{Name: "page.camera_latency_p99", Value: bench.Percentile(pictures, 0.99), Unit: "ms"},
		{Name: "page.loop_p99_none", Value: alone, Unit: "ms"},
		{Name: "page.loop_p99_20", Value: beside, Unit: "ms", Peer: "no page open", Ratio: beside / alone},
	}, nil
}

// pageStops gives how long stops took from a page's socket to the driver, ms.
func (r *rig) pageStops(ctx context.Context, page *websocket.Conn) (took []float64, err error) {
	for range stops {
		ms, err := r.stopOnce(ctx, func() error {
			return page.Write(ctx, websocket.MessageText, []byte(`{"topic":"stop","payload":"bench"}`))
		})
		if err != nil {
			return nil, err
		}
		took = append(took, ms)
	}
	return took, nil
}

// pages are open dashboards: each has a socket for messages and one for each
// camera, and takes everything at once as a browser does.
type pages struct {
	clock   robot.Clock
	epoch   float64 // seconds since 1970 at robot.Time 0
	cancel  context.CancelFunc
	readers sync.WaitGroup
	sockets []*websocket.Conn // of messages
	mu      sync.Mutex
	ages    []float64 // of pictures when they came, ms
}

func openPages(ctx context.Context, r *rig, n int) (*pages, error) {
	ctx, cancel := context.WithCancel(ctx)
	clock := r.daemon.clock
	p := &pages{clock: clock, cancel: cancel, epoch: float64(clock.Epoch().UnixNano()) / 1e9}
	url := strings.Replace(r.daemon.URL(), "http", "ws", 1)
	for range n {
		messages, _, err := websocket.Dial(ctx, url+"/ws", nil)
		if err != nil {
			p.close()
			return nil, err
		}
		messages.SetReadLimit(-1)
		p.sockets = append(p.sockets, messages)
		p.readers.Go(func() { p.read(ctx, messages, func([]byte) error { return nil }) })
		for _, name := range world.Cameras() {
			camera, _, err := websocket.Dial(ctx, url+"/ws/camera/"+name, nil)
			if err != nil {
				p.close()
				return nil, err
			}
			camera.SetReadLimit(-1)
			p.readers.Go(func() {
				p.read(ctx, camera, func(picture []byte) error {
					p.came(picture)
					return camera.Write(ctx, websocket.MessageText, []byte("drawn"))
				})
			})
		}
	}
	return p, nil
}

// read takes messages until the page is closed.
func (p *pages) read(ctx context.Context, conn *websocket.Conn, take func([]byte) error) {
	defer conn.CloseNow()
	for {
		_, data, err := conn.Read(ctx)
		if err != nil || take(data) != nil {
			return
		}
	}
}

// came notes how old a picture is that has just come: its first eight bytes
// say when it was taken.
func (p *pages) came(picture []byte) {
	captured := math.Float64frombits(binary.LittleEndian.Uint64(picture))
	age := p.epoch + p.clock.Now().Seconds() - captured
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ages = append(p.ages, age*1e3)
}

// pictureAges gives the ages of the pictures that came so far.
func (p *pages) pictureAges() ([]float64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ages) == 0 {
		return nil, errors.New("no picture came to the pages")
	}
	return p.ages, nil
}

func (p *pages) close() {
	p.cancel()
	p.readers.Wait()
}
