package dataset

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/snappy"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// What the headers of a Parquet file may claim. The library allocates what they
// say before it looks whether it is there.
const (
	maxFooterBytes = 32 << 20
	maxPageBytes   = 64 << 20 // of a page when it is read
	maxPageValues  = 1 << 22
	maxPages       = 1 << 16 // of one column of one row group
	headerWindow   = 64 << 10
	maxDeltaBlock  = 1 << 16
	// plainDictionary is how older writers say that a page has a dictionary.
	plainDictionary = 2
)

// encodings are those that tables of numbers and texts are written in: plain,
// dictionaries and run lengths. deltas have a count of their own to believe.
var (
	encodings = []int64{int64(format.Plain), plainDictionary, int64(format.RLE), int64(format.RLEDictionary)}
	deltas    = []int64{int64(format.DeltaBinaryPacked), int64(format.DeltaLengthByteArray), int64(format.DeltaByteArray)}
)

// checkFooter walks the footer of a file: its length, and those in it.
func checkFooter(from io.ReaderAt, size int64) error {
	const tail = 8
	if size < 2*tail {
		return fmt.Errorf("not a Parquet file: %d bytes", size)
	}
	end := make([]byte, tail)
	if _, err := from.ReadAt(end, size-tail); err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(end))
	if n > min(size-tail, maxFooterBytes) {
		return fmt.Errorf("the footer claims %d bytes of a file of %d", n, size)
	}
	footer := make([]byte, n)
	if _, err := from.ReadAt(footer, size-tail-n); err != nil {
		return err
	}
	return (&thrift{data: footer}).fields(func([]int16, int64) {})
}

// checkPages walks the page headers of the columns that are wanted.
func checkPages(from io.ReaderAt, size int64, file *parquet.File, wanted map[int]string) error {
	for _, group := range file.Metadata().RowGroups {
		for column := range group.Columns {
			if _, ok := wanted[column]; !ok {
				continue
			}
			if err := checkColumn(from, size, &group.Columns[column].MetaData); err != nil {
				return fmt.Errorf("column %v: %w", group.Columns[column].MetaData.PathInSchema, err)
			}
		}
	}
	return nil
}

func checkColumn(from io.ReaderAt, size int64, c *format.ColumnMetaData) error {
	if c.Codec != format.Uncompressed && c.Codec != format.Snappy {
		return fmt.Errorf("is compressed as %v, only snappy and none are read (write the dataset anew with either)", c.Codec)
	}
	at := c.DataPageOffset
	if c.DictionaryPageOffset > 0 && c.DictionaryPageOffset < at {
		at = c.DictionaryPageOffset
	}
	end := at + c.TotalCompressedSize
	if at < 0 || c.TotalCompressedSize < 0 || end > size {
		return fmt.Errorf("claims the bytes %d to %d of a file of %d", at, end, size)
	}
	window := make([]byte, headerWindow)
	for values, pages := int64(0), 0; values < c.NumValues && at < end; pages++ {
		if pages == maxPages {
			return fmt.Errorf("has more than %d pages", maxPages)
		}
		n := min(int64(len(window)), end-at)
		if _, err := from.ReadAt(window[:n], at); err != nil {
			return err
		}
		h, err := readPageHeader(window[:n])
		if err != nil {
			return err
		}
		if err := checkPage(&h, end-at, c.Codec, window[h.length:n]); err != nil {
			return err
		}
		if slices.Contains(deltas, h.encoding) {
			if err := checkDeltas(from, at, &h, c.Codec); err != nil {
				return err
			}
		}
		if at != c.DictionaryPageOffset || c.DictionaryPageOffset == 0 {
			values += h.values
		}
		at += int64(h.length) + h.compressed
	}
	return nil
}

// checkPage holds a header against the bytes that are left of its column and
// against the begin of its content.
func checkPage(h *pageHeader, left int64, codec format.CompressionCodec, begin []byte) error {
	switch {
	case h.compressed < 0 || h.uncompressed < 0 || h.values < 0 || h.levels < 0,
		int64(h.length)+h.compressed > left, h.uncompressed > maxPageBytes, h.values > maxPageValues, h.levels > h.compressed:
		return fmt.Errorf("%v where %d bytes are left", h, left)
	case !slices.Contains(encodings, h.encoding) && (!h.second || !slices.Contains(deltas, h.encoding)):
		return fmt.Errorf("is encoded as %v, which is not read (write the dataset anew, as pyarrow does by default)", format.Encoding(h.encoding))
	case codec != format.Snappy || h.plain || h.compressed == h.levels:
		return nil
	case h.levels > int64(len(begin)):
		return fmt.Errorf("%v with levels of %d bytes", h, h.levels)
	}
	// Snappy says first how long its content is.
	if n, used := binary.Uvarint(begin[h.levels:]); used <= 0 || n > uint64(h.uncompressed) {
		return fmt.Errorf("%v of which snappy claims %d bytes", h, n)
	}
	return nil
}

// checkDeltas holds the count at the start of a page of deltas against its
// header: block size, miniblocks, count (parquet-format, Encodings.md).
func checkDeltas(from io.ReaderAt, at int64, h *pageHeader, codec format.CompressionCodec) error {
	if h.compressed == h.levels {
		return nil
	}
	content := make([]byte, h.compressed-h.levels)
	if _, err := from.ReadAt(content, at+int64(h.length)+h.levels); err != nil {
		return err
	}
	if codec == format.Snappy && !h.plain {
		var err error
		if content, err = snappy.Decode(nil, content); err != nil {
			return err
		}
	}
	t := thrift{data: content}
	for i, most := range []uint64{maxDeltaBlock, maxDeltaBlock, uint64(h.values)} {
		if n, err := t.uvarint(); err != nil || n > most {
			return fmt.Errorf("%v of deltas whose %s is %d", h, []string{"block size", "count of blocks", "count"}[i], n)
		}
	}
	return nil
}
