package feetech_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/actuation/feetech"
)

func TestPacketOnTheWire(t *testing.T) {
	// From the protocol's manual: ping of servo 1.
	ping := feetech.Packet{ID: 1, Code: feetech.Ping}.Append(nil)
	if want := []byte{0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB}; !bytes.Equal(ping, want) {
		t.Errorf("ping is % x, want % x", ping, want)
	}
	read := feetech.Packet{ID: 1, Code: feetech.Read, Params: []byte{0x38, 0x02}}.Append(nil)
	if want := []byte{0xFF, 0xFF, 0x01, 0x04, 0x02, 0x38, 0x02, 0xBE}; !bytes.Equal(read, want) {
		t.Errorf("read is % x, want % x", read, want)
	}
}

func TestScanFindsPacketsInNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := feetech.Packet{ID: byte(rapid.IntRange(0, 253).Draw(t, "id")), Code: rapid.Byte().Draw(t, "code"), Params: rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "params")}
		noise := rapid.SliceOfN(rapid.ByteRange(0, 0xFE), 0, 10).Draw(t, "noise")
		data := want.Append(append([]byte(nil), noise...))
		for cut := range data {
			if _, done, err := feetech.Scan(data[:cut]); !errors.Is(err, feetech.ErrIncomplete) || done > len(noise) {
				t.Fatalf("cut at %d: %d done, %v", cut, done, err)
			}
		}
		got, done, err := feetech.Scan(data)
		if err != nil || done != len(data) || got.ID != want.ID || got.Code != want.Code || !bytes.Equal(got.Params, want.Params) {
			t.Fatalf("got %+v, %d, %v", got, done, err)
		}
	})
}

func TestScanComesBackIntoStepAfterASpoiltPacket(t *testing.T) {
	good := feetech.Packet{ID: 5, Code: 0, Params: []byte{1, 2}}.Append(nil)
	for name, bad := range map[string][]byte{
		"wrong sum":   {0xFF, 0xFF, 1, 2, 0, 0},
		"third FF":    {0xFF},
		"length 0":    {0xFF, 0xFF, 1, 0, 0, 0},
		"length 1":    {0xFF, 0xFF, 1, 1, 0, 0},
		"length 255":  {0xFF, 0xFF, 1, 255, 0, 0},
		"half a head": {0xFF, 7},
	} {
		data, found := append(append([]byte(nil), bad...), good...), false
		for len(data) > 0 {
			p, done, err := feetech.Scan(data)
			data = data[done:]
			if errors.Is(err, feetech.ErrIncomplete) {
				break
			}
			found = found || err == nil && p.ID == 5
		}
		if !found {
			t.Errorf("%s: the packet behind it was not found", name)
		}
	}
}

func TestFaultsInWords(t *testing.T) {
	if got := feetech.Faults(0b100101).String(); got != "voltage, temperature, overload" {
		t.Errorf("got %q", got)
	}
	if got := feetech.Faults(0b1010000).String(); got != "bit 4, bit 6" {
		t.Errorf("got %q", got)
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte{0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB})
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB})
	f.Add([]byte{0, 1, 0xFF, 0xFF, 1, 255})
	f.Add(feetech.Packet{ID: 2, Params: []byte{1, 2, 3, 4, 5, 6}}.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		for len(data) > 0 {
			p, done, err := feetech.Scan(data)
			if done < 0 || done > len(data) || done == 0 && !errors.Is(err, feetech.ErrIncomplete) {
				t.Fatalf("%d of %d bytes done, %v", done, len(data), err)
			}
			if err == nil && !bytes.HasSuffix(data[:done], p.Append(nil)) {
				t.Fatalf("%+v is not what was scanned, % x", p, data[:done])
			}
			if data = data[done:]; errors.Is(err, feetech.ErrIncomplete) {
				return
			}
		}
	})
}
