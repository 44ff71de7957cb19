package s3

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"karri/shared/rest"
	"karri/walrus/index"
)

// A page is an answer in XML that is put together by hand: one page of a
// listing has thousands of elements, and through reflection they cost several
// times what it takes to find the objects.
type page struct {
	b      []byte
	show   func(string) string
	owners map[string]ownerXML // by account
}

var pages = sync.Pool{New: func() any { return &page{} }}

// pooled is the size up to which the memory of a page is used again.
const pooled = 1 << 20

// newPage begins a document of S3's. show writes a key in the encoding that
// was asked for.
func newPage(root string, show func(string) string) *page {
	p := pages.Get().(*page)
	p.show, p.owners = show, map[string]ownerXML{}
	p.b = append(p.b[:0], xml.Header...)
	p.b = append(append(append(p.b, '<'), root...), ` xmlns="`+xmlns+`">`...)
	return p
}

func (p *page) open(name string) {
	p.b = append(append(append(p.b, '<'), name...), '>')
}

func (p *page) close(name string) {
	p.b = append(append(append(p.b, '<', '/'), name...), '>')
}

// text adds an element.
func (p *page) text(name, value string) {
	p.open(name)
	p.b = appendText(p.b, value)
	p.close(name)
}

// some adds an element unless it is empty.
func (p *page) some(name, value string) {
	if value != "" {
		p.text(name, value)
	}
}

func (p *page) number(name string, n int64) {
	p.open(name)
	p.b = strconv.AppendInt(p.b, n, 10)
	p.close(name)
}

func (p *page) flag(name string, v bool) {
	p.open(name)
	p.b = strconv.AppendBool(p.b, v)
	p.close(name)
}

// entry adds what a listing shows of an object; of its owner too if the
// bucket's is given, whose it is unless it says otherwise.
func (p *page) entry(e *index.Entry, bucketOwner string) {
	p.open("Contents")
	p.text("Key", p.show(e.Key))
	p.modified(e)
	p.content(e)
	if bucketOwner != "" {
		p.owner(cmp.Or(e.Owner, bucketOwner))
	}
	p.text("StorageClass", classOf(e))
	p.close("Contents")
}

// version adds what a listing of versions shows of one, or of a delete marker.
func (p *page) version(e *index.Entry, bucketOwner string) {
	name := "Version"
	if e.Marker {
		name = "DeleteMarker"
	}
	p.open(name)
	p.text("Key", p.show(e.Key))
	p.text("VersionId", e.Version)
	p.flag("IsLatest", e.Latest)
	p.modified(e)
	if !e.Marker {
		p.content(e)
		p.text("StorageClass", classOf(e))
	}
	p.owner(cmp.Or(e.Owner, bucketOwner))
	p.close(name)
}

func (p *page) modified(e *index.Entry) {
	p.b = append(p.b, "<LastModified>"...)
	p.b = appendStamp(p.b, e.Modified)
	p.b = append(p.b, "</LastModified>"...)
}

// content adds what a listing shows of an object's bytes.
func (p *page) content(e *index.Entry) {
	p.b = append(p.b, "<ETag>&#34;"...)
	p.b = appendText(p.b, e.ETag)
	p.b = append(p.b, "&#34;</ETag>"...)
	if e.Algorithm != "" {
		p.text("ChecksumAlgorithm", string(e.Algorithm))
		p.text("ChecksumType", checksumType(e.Composite))
	}
	p.number("Size", e.Size)
}

func (p *page) owner(account string) {
	who, ok := p.owners[account]
	if !ok {
		who = owner(account)
		p.owners[account] = who
	}
	p.open("Owner")
	p.text("ID", who.ID)
	p.text("DisplayName", who.DisplayName)
	p.close("Owner")
}

func (p *page) prefixes(list []string) {
	for _, s := range list {
		p.open("CommonPrefixes")
		p.text("Prefix", p.show(s))
		p.close("CommonPrefixes")
	}
}

// answer ends the document and sends it.
func (p *page) answer(c *call, root string) {
	p.close(root)
	h := c.w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(p.b)))
	c.w.WriteHeader(http.StatusOK)
	if _, err := c.w.Write(p.b); err != nil {
		rest.Note(c.ctx, "cut", err.Error()) // a client that went away needs no answer
	}
	if cap(p.b) <= pooled {
		pages.Put(p)
	}
}

// appendText writes s as the text of an element.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			var w strings.Builder
			_ = xml.EscapeText(&w, []byte(s[i:])) // a strings.Builder takes all
			return append(append(b, s[:i]...), w.String()...)
		}
	}
	return append(b, s...)
}

// appendStamp writes a time as stamp does, without reading a layout.
func appendStamp(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return append(b, stamp(t)...)
	}
	hour, minute, second := t.Clock()
	two := func(n int, after byte) {
		b = append(b, '0'+byte(n/10), '0'+byte(n%10), after)
	}
	b = strconv.AppendInt(b, int64(year), 10)
	b = append(b, '-')
	two(int(month), '-')
	two(day, 'T')
	two(hour, ':')
	two(minute, ':')
	two(second, '.')
	ms := t.Nanosecond() / 1e6
	b = append(b, '0'+byte(ms/100))
	two(ms%100, 'Z')
	return b
}
