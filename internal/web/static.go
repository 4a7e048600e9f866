package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// asset is one file of the page, compressed once.
type asset struct {
	kind, tag    string
	plain, small []byte
}

// static serves the files of the page. They are few and live in memory.
type static map[string]asset

func newStatic() static {
	all := static{}
	err := fs.WalkDir(pageFiles, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := pageFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		all["/assets/"+strings.TrimPrefix(name, "page/")] = asset{
			kind: kindOf(name), tag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: data, small: compress(data),
		}
		return nil
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	all["/"] = all["/assets/index.html"]
	return all
}

// PageBytes gives how many bytes a browser fetches for the page, compressed.
func PageBytes() (total int) {
	for path, a := range newStatic() {
		if path != "/" {
			total += len(a.small)
		}
	}
	return total
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js": // whatever the machine's tables say
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func compress(data []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

func (s static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := s[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	// Asked for anew each time: after an update of kuai the old page must not
	// talk to the new daemon.
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", a.tag)
	if r.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		w.Write(a.small)
		return
	}
	w.Write(a.plain)
}
