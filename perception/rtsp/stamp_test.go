package rtsp_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

const rate = 90_000

var noon = time.Date(2026, 3, 4, 12, 5, 6, 789_012_345, time.UTC)

// sender is a camera whose clocks need not be ours.
type sender struct {
	// ahead is what its wall clock shows too much.
	ahead time.Duration
	// offset is what its RTP clock shows when ours is zero.
	offset uint32
}

func (s sender) rtp(at robot.Time) uint32 {
	return s.offset + uint32(int64(at)/1000*(rate/1000)/1000)
}

// report makes the stamper hear a sender report made at an instant of ours.
func (s sender) report(to *rtsp.Stamper, at robot.Time) {
	to.Report(rtsp.ToNTP(noon.Add(time.Duration(at)+s.ahead)), s.rtp(at))
}

func ms(n int) robot.Time { return robot.Time(n) * robot.Time(time.Millisecond) }

func near(got, want robot.Time) bool { return got.Sub(want).Abs() <= 25*time.Microsecond }

func TestReportsGiveTheTimeOfCapture(t *testing.T) {
	for name, s := range map[string]sender{
		"our clock":             {},
		"RTP clock wraps":       {offset: 0xFFFF_FFFF - 100*90},
		"a little ahead":        {ahead: 15 * time.Millisecond},
		"RTP clock in the past": {offset: 1 << 31},
	} {
		t.Run(name, func(t *testing.T) {
			stamper := rtsp.NewStamper(rate, noon)
			s.report(stamper, ms(990))
			for i := range 100 {
				captured := ms(1000 + 33*i)
				arrival := captured.Add(time.Duration(20+i*7%40) * time.Millisecond)
				got := stamper.Stamp(s.rtp(captured), arrival)
				if want := captured.Add(s.ahead); got.Estimated || !near(got.At, want) {
					t.Fatalf("picture %d: %+v, want %v", i, got, want)
				}
			}
		})
	}
}

func TestAPictureIsNeverFromTheFuture(t *testing.T) {
	s := sender{ahead: 15 * time.Millisecond}
	stamper := rtsp.NewStamper(rate, noon)
	s.report(stamper, ms(1000))
	if got := stamper.Stamp(s.rtp(ms(1000)), ms(1001)); got.At != ms(1001) {
		t.Errorf("%+v, want the arrival: the sender's clock runs ahead", got)
	}
}

func TestAPictureOlderThanOurClockHasATime(t *testing.T) {
	stamper := rtsp.NewStamper(rate, noon)
	sender{}.report(stamper, ms(-100))
	if got := stamper.Stamp(sender{}.rtp(ms(-100)), ms(10)); got.At != 1 || got.Estimated {
		t.Errorf("%+v, want the first instant there is", got)
	}
}

// TestWithoutACommonClock checks the estimate: the least delay seen is taken
// for the delay of all.
func TestWithoutACommonClock(t *testing.T) {
	for name, s := range map[string]sender{
		"an hour ahead":  {ahead: time.Hour},
		"a year behind":  {ahead: -365 * 24 * time.Hour},
		"80 ms ahead":    {ahead: 80 * time.Millisecond},
		"600 ms behind":  {ahead: -600 * time.Millisecond},
		"never reports":  {},
		"RTP clock wrap": {offset: 0xFFFF_FFFF - 100*90},
	} {
		t.Run(name, func(t *testing.T) {
			stamper := rtsp.NewStamper(rate, noon)
			if s.ahead != 0 {
				s.report(stamper, ms(990))
			}
			const least = 20 * time.Millisecond
			for i := range 300 {
				captured := ms(1000 + 33*i)
				delay := least + time.Duration(i*7%40)*time.Millisecond
				got := stamper.Stamp(s.rtp(captured), captured.Add(delay))
				if !got.Estimated {
					t.Fatalf("picture %d: %+v is not marked as estimated", i, got)
				}
				if i > 0 && !near(got.At, captured.Add(least)) {
					t.Fatalf("picture %d: %v, want %v and the least delay", i, got.At, captured)
				}
			}
		})
	}
}

func TestTheEstimateFollowsADriftingCrystal(t *testing.T) {
	stamper := rtsp.NewStamper(rate, noon)
	const least = 5 * time.Millisecond
	var last rtsp.Stamp
	var captured robot.Time
	for i := range 30 * 600 {
		captured = ms(1000 + 33*i)
		drifted := captured.Add(time.Duration(captured) / 10_000) // 100 ppm fast
		last = stamper.Stamp(sender{}.rtp(drifted), captured.Add(least))
	}
	if late := last.At.Sub(captured); late < least-3*time.Millisecond || late > least+3*time.Millisecond {
		t.Errorf("after ten minutes the estimate is %v after the capture, want %v ± 3ms", late, least)
	}
}

func TestAClockThatStepsIsJudgedAnew(t *testing.T) {
	stamper := rtsp.NewStamper(rate, noon)
	wrong, right := sender{ahead: time.Hour}, sender{}
	wrong.report(stamper, ms(1000))
	if got := stamper.Stamp(wrong.rtp(ms(1000)), ms(1010)); !got.Estimated {
		t.Fatalf("an hour ahead: %+v", got)
	}
	right.report(stamper, ms(2000)) // NTP has set the camera's clock
	if got := stamper.Stamp(right.rtp(ms(2000)), ms(2010)); got.Estimated || !near(got.At, ms(2000)) {
		t.Errorf("after the step: %+v, want 2s by the camera's clock", got)
	}
}

func TestARestartedRTPClock(t *testing.T) {
	stamper := rtsp.NewStamper(rate, noon)
	for i := range 10 {
		stamper.Stamp(sender{offset: 1 << 30}.rtp(ms(1000+33*i)), ms(1005+33*i))
	}
	got := stamper.Stamp(sender{}.rtp(ms(5000)), ms(5005))
	if got.At > ms(5005) || got.At < ms(5000) {
		t.Errorf("after the restart: %+v, want about 5s", got)
	}
}

func TestNTPRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Unix(rapid.Int64Range(0, 2_085_978_495).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		if d := rtsp.FromNTP(rtsp.ToNTP(want)).Sub(want); d.Abs() > time.Nanosecond {
			t.Fatalf("%v came back %v off", want, d)
		}
	})
	// RFC 5905's example of an era-0 instant: 1 January 1970.
	if got := rtsp.ToNTP(time.Unix(0, 0)); got != 2_208_988_800<<32 {
		t.Errorf("1970 is %#x", got)
	}
}
