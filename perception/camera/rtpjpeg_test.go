package camera

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/pion/rtp"

	"github.com/kuai-robot/kuai/internal/jpeg"
)

// quarters is red, green, blue and grey.
var quarters = [4][3]byte{{200, 30, 30}, {30, 180, 40}, {40, 60, 210}, {128, 128, 128}}

func paint(width, height int) []byte {
	rgb := make([]byte, 0, 3*width*height)
	for y := range height {
		for x := range width {
			q := quarters[2*(2*y/height)+2*x/width]
			rgb = append(rgb, q[:]...)
		}
	}
	return rgb
}

// checkColours looks at the middle of each quarter.
func checkColours(t *testing.T, width, height int, rgb []byte, tolerance float64) {
	t.Helper()
	if len(rgb) != 3*width*height {
		t.Fatalf("%d bytes for %d×%d pixels", len(rgb), width, height)
	}
	for i, want := range quarters {
		x, y := width/4+i%2*width/2, height/4+i/2*height/2
		got := rgb[3*(y*width+x):][:3]
		for k := range got {
			if math.Abs(float64(got[k])-float64(want[k])) > tolerance {
				t.Errorf("quarter %d is %v, want %v", i, got, want)
				break
			}
		}
	}
}

func goJPEG(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i, v := range paint(width, height) {
		m.Pix[i/3*4+i%3] = v
	}
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, m, &stdjpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packetise splits a JPEG file by another implementation of RFC 2435.
func packetise(t testing.TB, file []byte, size int) []*rtp.Packet {
	t.Helper()
	e := rtpmjpeg.Encoder{PayloadMaxSize: size}
	if err := e.Init(); err != nil {
		t.Fatal(err)
	}
	packets, err := e.Encode(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		p.Timestamp = 90_000
	}
	return packets
}

func assemble(t *testing.T, a *jpegAssembler, packets []*rtp.Packet) []byte {
	t.Helper()
	for i, p := range packets {
		file, err := a.add(p)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		if last := i == len(packets)-1; (file != nil) != last {
			t.Fatalf("packet %d of %d: a file: %v", i, len(packets), file != nil)
		}
		if file != nil {
			return file
		}
	}
	return nil
}

func TestAPictureComesBackAsItWas(t *testing.T) {
	original := goJPEG(t, 320, 240)
	_, _, want, err := jpeg.Decode(original)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1450, 300, 60_000} {
		var a jpegAssembler
		for range 2 {
			width, height, got, err := jpeg.Decode(assemble(t, &a, packetise(t, original, size)))
			if err != nil || width != 320 || height != 240 {
				t.Fatalf("%d×%d, %v", width, height, err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("packets of %d bytes: the pixels differ from those of the file", size)
			}
			checkColours(t, width, height, got, 4)
		}
	}
}

// TestTablesByQ sends a picture without tables: quality 1 to 99 says them.
func TestTablesByQ(t *testing.T) {
	for _, q := range []int{5, 50, 75, 99} {
		m := image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420)
		for i := range m.Y {
			m.Y[i] = byte(i * 7)
		}
		var b bytes.Buffer
		if err := stdjpeg.Encode(&b, m, &stdjpeg.Options{Quality: q}); err != nil {
			t.Fatal(err)
		}
		_, _, want, err := jpeg.Decode(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		scan := b.Bytes()[bytes.Index(b.Bytes(), []byte{0xFF, 0xDA})+14:]
		var a jpegAssembler
		file, err := a.add(packet(true, header(0, 1, byte(q), 64, 48), scan))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, got, err := jpeg.Decode(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("Q %d: the pixels differ: %v", q, err)
		}
	}
}

// header is RFC 2435's main header (§3.1).
func header(offset int, kind, q byte, width, height int) []byte {
	return []byte{0, byte(offset >> 16), byte(offset >> 8), byte(offset), kind, q, byte(width / 8), byte(height / 8)}
}

// tables is a quantisation header (§3.1.8).
func tables(precision byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0, precision}, uint16(len(body))), body...)
}

func packet(last bool, parts ...[]byte) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{Marker: last, Timestamp: 90_000}, Payload: slices.Concat(parts...)}
}

func TestAMissingPacketCostsItsPictureOnly(t *testing.T) {
	original := goJPEG(t, 320, 240)
	packets := packetise(t, original, 300)
	for missing := range packets {
		var a jpegAssembler
		gaps, files := 0, 0
		for i, p := range slices.Concat(packets, packets) {
			if i == missing {
				continue
			}
			if i >= len(packets) {
				again := *p
				again.Timestamp += 3000
				p = &again
			}
			file, err := a.add(p)
			if err != nil && !errors.Is(err, errGap) {
				t.Fatal(err)
			}
			if err != nil {
				gaps++
			}
			if file != nil {
				files++
				if _, _, _, err := jpeg.Decode(file); err != nil {
					t.Errorf("packet %d missing: the file does not decode: %v", missing, err)
				}
			}
		}
		if files != 1 || gaps > 1 {
			t.Errorf("packet %d missing: %d pictures and %d gaps, want 1 and at most 1", missing, files, gaps)
		}
	}
}

func TestTablesAreRemembered(t *testing.T) {
	two := bytes.Repeat([]byte{7}, 128)
	var a jpegAssembler
	if _, err := a.add(packet(true, header(0, 1, 130, 8, 8), tables(0, nil), []byte{1})); err == nil || !strings.Contains(err.Error(), "never sent") {
		t.Errorf("error %v, want that the tables never came", err)
	}
	first, err := a.add(packet(true, header(0, 1, 130, 8, 8), tables(0, two), []byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.add(packet(true, header(0, 1, 130, 8, 8), tables(0, nil), []byte{1}))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the tables of Q 130 were not kept: %v", err)
	}
	if _, err := a.add(packet(true, header(0, 1, 255, 8, 8), tables(0, two), []byte{1})); err != nil {
		t.Fatal(err)
	}
	if _, err := a.add(packet(true, header(0, 1, 255, 8, 8), tables(0, nil), []byte{1})); err == nil {
		t.Error("Q 255 stands for the tables of its own picture; others were used")
	}
}

func TestRestartMarkersAndOneTable(t *testing.T) {
	var a jpegAssembler
	restart := []byte{0, 20, 0xFF, 0xFF}
	file, err := a.add(packet(true, header(0, 65, 255, 16, 16), restart, tables(0, bytes.Repeat([]byte{9}, 64)), []byte{1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file, []byte{0xFF, 0xDD, 0, 4, 0, 20}) {
		t.Error("no restart interval of 20")
	}
	if !bytes.Contains(file, []byte{1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0}) {
		t.Error("with one table all components must use it")
	}
}

func TestTheAssemblerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		packet *rtp.Packet
		want   string
	}{
		"nothing":            {packet(true), "too short"},
		"interlaced":         {packet(true, append([]byte{1}, header(0, 1, 50, 8, 8)[1:]...)), "interlaced"},
		"too wide":           {packet(true, header(0, 1, 50, 2048, 8)), "2040"},
		"type":               {packet(true, header(0, 2, 50, 8, 8)), "type 2"},
		"Q 0":                {packet(true, header(0, 1, 0, 8, 8)), "reserved"},
		"Q 100":              {packet(true, header(0, 1, 100, 8, 8)), "reserved"},
		"restart cut short":  {packet(true, header(0, 65, 50, 8, 8), []byte{1}), "restart"},
		"tables cut short":   {packet(true, header(0, 1, 255, 8, 8), []byte{0, 0}), "cut short"},
		"tables missing":     {packet(true, header(0, 1, 255, 8, 8), tables(0, make([]byte, 128))[:60]), "128 bytes"},
		"tables of odd size": {packet(true, header(0, 1, 255, 8, 8), tables(0, make([]byte, 100))), "100 bytes"},
	} {
		var a jpegAssembler
		if file, err := a.add(c.packet); err == nil || file != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestDecodeJPEGRefuses(t *testing.T) {
	whole := goJPEG(t, 64, 48)
	grey := new(bytes.Buffer)
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	m.SetGray(0, 0, color.Gray{Y: 255})
	if err := stdjpeg.Encode(grey, m, nil); err != nil {
		t.Fatal(err)
	}
	if w, h, rgb, err := jpeg.Decode(grey.Bytes()); err != nil || w != 8 || h != 8 || len(rgb) != 192 {
		t.Errorf("grey: %d×%d, %v", w, h, err)
	}
	huge := bytes.Clone(whole)
	at := bytes.Index(huge, []byte{0xFF, 0xC0})
	copy(huge[at+5:], []byte{0x7F, 0xFF, 0x7F, 0xFF})
	flipped := bytes.Clone(whole)
	for i := len(flipped) - 60; i < len(flipped)-2; i++ {
		flipped[i] = 0xFF
	}
	for name, file := range map[string][]byte{
		"nothing":   nil,
		"two bytes": whole[:2],
		"headers":   whole[:100],
		"cut short": whole[:len(whole)-40],
		"32767²":    huge,
		"damaged":   flipped,
		"not JPEG":  []byte("GIF89a                              "),
	} {
		if _, _, _, err := jpeg.Decode(file); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// FuzzRTPJPEG feeds a sequence of packets, each with a length of two bytes and
// a byte of flags before it.
func FuzzRTPJPEG(f *testing.F) {
	pack := func(packets []*rtp.Packet) (out []byte) {
		for _, p := range packets {
			flags := byte(0)
			if p.Marker {
				flags = 1
			}
			out = append(binary.BigEndian.AppendUint16(out, uint16(len(p.Payload))), flags)
			out = append(out, p.Payload...)
		}
		return out
	}
	f.Add(pack(packetise(f, goJPEG(f, 16, 16), 300)))
	f.Add(pack([]*rtp.Packet{packet(true, header(0, 65, 50, 16, 8), []byte{0, 1, 0, 0}, []byte{1, 2, 3})}))
	f.Add(pack([]*rtp.Packet{packet(true, header(0, 1, 255, 8, 8), tables(3, make([]byte, 256)), []byte{1})}))
	f.Fuzz(func(t *testing.T, data []byte) {
		var a jpegAssembler
		for len(data) >= 3 {
			size, flags := int(binary.BigEndian.Uint16(data)), data[2]
			data = data[3:]
			size = min(size, len(data))
			p := &rtp.Packet{Header: rtp.Header{Marker: flags&1 != 0, Timestamp: uint32(flags >> 1)}, Payload: data[:size]}
			data = data[size:]
			file, err := a.add(p)
			if err != nil && file != nil {
				t.Fatal("a file and an error")
			}
			if file == nil {
				continue
			}
			width, height, rgb, err := jpeg.Decode(file)
			if err == nil && (len(rgb) != 3*width*height || width > 2040 || height > 2040) {
				t.Fatalf("%d×%d pixels in %d bytes", width, height, len(rgb))
			}
		}
	})
}
