package dataset

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	compact "github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := compact.Marshal(new(compact.CompactProtocol), v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPageHeadersAreHeldAgainstTheirColumn(t *testing.T) {
	page := func(uncompressed, compressed, values int32, encoding format.Encoding) *format.PageHeader {
		return &format.PageHeader{UncompressedPageSize: uncompressed, CompressedPageSize: compressed,
			DataPageHeader: &format.DataPageHeader{NumValues: values, Encoding: encoding, Statistics: format.Statistics{MaxValue: []byte("text that is passed over")}}}
	}
	second := func(levels int32, encoding format.Encoding) *format.PageHeader {
		return &format.PageHeader{UncompressedPageSize: 100, CompressedPageSize: 50,
			DataPageHeaderV2: &format.DataPageHeaderV2{NumValues: 3, Encoding: encoding, DefinitionLevelsByteLength: levels}}
	}
	for name, c := range map[string]struct {
		header  *format.PageHeader
		content []byte
		says    string // empty: it is good
	}{
		"as it should be":            {page(100, 50, 3, format.Plain), []byte{100}, ""},
		"of the second format":       {second(2, format.DeltaLengthByteArray), []byte{0, 0, 90}, ""},
		"two gigabytes when read":    {page(2_000_000_000, 50, 3, format.Plain), []byte{100}, "a page of 3 values"},
		"longer than its column":     {page(100, 5000, 3, format.Plain), []byte{100}, "are left"},
		"a negative length":          {page(100, -50, 3, format.Plain), []byte{100}, "are left"},
		"a billion values":           {page(100, 50, 1_000_000_000, format.RLE), []byte{100}, "are left"},
		"an encoding of its own":     {page(100, 50, 3, format.BitPacked), []byte{100}, "is not read"},
		"deltas in the first format": {page(100, 50, 3, format.DeltaBinaryPacked), []byte{100}, "is not read"},
		"levels longer than itself":  {second(60, format.Plain), []byte{100}, "are left"},
		"snappy that claims more":    {page(100, 50, 3, format.Plain), binary.AppendUvarint(nil, 1<<32), "snappy claims"},
		"snappy that claims nothing": {page(100, 50, 3, format.Plain), nil, "snappy claims"},
	} {
		data := marshal(t, c.header)
		h, err := readPageHeader(append(data, 1, 2, 3))
		if err != nil || h.length != len(data) {
			t.Errorf("%s: a header of %d bytes, want %d: %v", name, h.length, len(data), err)
			continue
		}
		err = checkPage(&h, 1000, format.Snappy, c.content)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
}

func TestAFooterThatLies(t *testing.T) {
	file := func(footer []byte, claims uint32) []byte {
		data := append([]byte("PAR1----------------"), footer...)
		return append(binary.LittleEndian.AppendUint32(data, claims), "PAR1"...)
	}
	list := []byte{0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0} // field 2: a list of 4 billion structures
	text := []byte{0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}       // field 1: 4 GB of text
	for name, data := range map[string][]byte{
		"longer than the file": file(nil, 4_000_000_000), "a list without an end": file(list, uint32(len(list))),
		"a text without an end": file(text, uint32(len(text))), "structures without an end": file(bytes.Repeat([]byte{0x1c}, 1000), 1000),
	} {
		path := filepath.Join(t.TempDir(), "t.parquet")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := readTable(path, []string{"a"}, func(values) error { return nil })
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: read", name)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
			t.Errorf("%s: took %d bytes", name, grown)
		}
	}
}

// FuzzThrift checks that headers are walked within their bytes.
func FuzzThrift(f *testing.F) {
	f.Add([]byte{0x15, 0x02, 0x15, 0xc8, 0x01, 0x15, 0x64, 0x2c, 0x15, 0x06, 0x15, 0, 0, 0})
	f.Add([]byte{0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add(bytes.Repeat([]byte{0x1c}, 40))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := readPageHeader(data); err == nil && (h.length < 1 || h.length > len(data)) {
			t.Errorf("a header of %d of %d bytes", h.length, len(data))
		}
	})
}
