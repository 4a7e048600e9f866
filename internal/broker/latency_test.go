package broker_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// BenchmarkStop measures from the publishing of a stop to the call of the stop
// function, while others keep the broker busy.
func BenchmarkStop(b *testing.B) {
	s, err := broker.StartServer(broker.ServerOptions{Listen: "127.0.0.1:0", Robot: robotName, Folder: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	o := broker.LinkOptions{URL: s.URL(), Robot: robotName}
	connect := func(o broker.LinkOptions) *broker.Link {
		l, err := broker.Dial(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { l.Close(nil) })
		return l
	}
	clock := robot.NewSystemClock()
	stopped := make(chan robot.Time, 1)
	stop, err := broker.StopLink(b.Context(), o, func(string) { stopped <- clock.Now() })
	if err != nil {
		b.Fatal(err)
	}
	defer stop.Close(nil)

	o.Subscriptions = append(listenNowhere(topics.NameInstruction), listenNowhere(topics.NameState)...)
	connect(o)
	o.Subscriptions = nil
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go traffic(ctx, clock, connect(o))
	hand := connect(o)

	var took []time.Duration
	for b.Loop() {
		sent := clock.Now()
		hand.Publish(topics.NameStop, 1, false, nil)
		took = append(took, (<-stopped).Sub(sent))
		_ = clock.Wait(ctx, clock.Now().Add(time.Millisecond))
	}
	slices.Sort(took)
	ms := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1e3 }
	b.ReportMetric(ms(0.5), "p50-ms")
	b.ReportMetric(ms(0.99), "p99-ms")
}

// traffic is ten times what the daemon says and hears at most.
func traffic(ctx context.Context, clock robot.Clock, l *broker.Link) {
	text := make([]byte, 1500)
	for clock.Wait(ctx, clock.Now().Add(time.Millisecond)) == nil {
		l.Publish(topics.NameState, 0, false, text)
		l.Publish(topics.NameInstruction, 1, false, text[:100])
		l.Publish(topics.NamePlan, 1, true, text)
	}
}

func listenNowhere(name string) []broker.Subscription {
	return []broker.Subscription{{Name: name, QoS: 1, Handle: func(broker.Message) {}}}
}
