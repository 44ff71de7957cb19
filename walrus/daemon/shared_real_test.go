//go:build real

package daemon_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/walrus/content"
	"karri/walrus/daemon/walrustest"
	"karri/walrus/index"
	"karri/walrus/index/pgtest"
)

// two are two walruses over one database and one folder of bytes.
type two struct {
	walrus  [2]*walrustest.Child
	address string
	folder  string
}

func startTwo(t *testing.T, args ...string) *two {
	server := pgtest.Start(t)
	p := &two{address: server.Address(t), folder: t.TempDir()}
	cloud := walrustest.StartCloud(t)
	var all sync.WaitGroup
	for i := range p.walrus {
		p.walrus[i] = walrustest.NewChild(t, cloud, append(args, "--index", p.address, "--content", p.folder, "--read-time", "1ms")...)
		all.Go(func() { p.walrus[i].Start(t, "") })
	}
	all.Wait()
	return p
}

func (p *two) do(t *testing.T, i int, method, path, body string) walrustest.Answer {
	t.Helper()
	a := p.walrus[i%2].Do(t, ann, method, path, body)
	if a.Status >= 300 {
		t.Errorf("%s %s: %d %s", method, path, a.Status, a.Code())
	}
	return a
}

// TestTwoWalrusesServeEachOther lets one write and the other read and list at
// once, in turns.
func TestTwoWalrusesServeEachOther(t *testing.T) {
	p := startTwo(t, "--orphan-age", "1ms")
	p.do(t, 0, "PUT", "/pond", "")
	for i, body := range []string{"small", large, huge, "small", large, huge} {
		key := fmt.Sprintf("/pond/k%d", i)
		p.do(t, i, "PUT", key, body)
		if a := p.do(t, i+1, "GET", key, ""); a.Body != body {
			t.Errorf("%s has %d bytes", key, len(a.Body))
		}
		if a := p.do(t, i+1, "GET", "/pond?list-type=2", ""); strings.Count(a.Body, "<Key>") != i+1 {
			t.Errorf("listed: %s", a.Body)
		}
	}
	for i := range 6 {
		key := fmt.Sprintf("/pond/k%d", i)
		p.do(t, i, "DELETE", key, "")
		if a := p.walrus[(i+1)%2].Do(t, ann, "GET", key, ""); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", key, a.Status)
		}
	}
	p.upload(t)
	p.survivor(t)
	p.do(t, 0, "DELETE", "/pond/parts", "")
	p.do(t, 0, "DELETE", "/pond/after", "")
	p.do(t, 0, "DELETE", "/pond", "")
	p.swept(t)
}

// upload begins with one walrus and ends with the other. In between both start
// anew, and their sweepers spare what is claimed, however old.
func (p *two) upload(t *testing.T) {
	id := p.do(t, 0, "POST", "/pond/parts?uploads", "").Element("UploadId")
	part := strings.Repeat(large, 50)
	var tags []string
	for i, body := range []string{part, large} {
		a := p.do(t, i, "PUT", fmt.Sprintf("/pond/parts?partNumber=%d&uploadId=%s", i+1, id), body)
		tags = append(tags, strings.Trim(a.Header.Get("ETag"), `"`))
	}
	for _, w := range p.walrus {
		w.Kill()
		w.Start(t, "")
		w.Ended(300 * time.Millisecond)
	}
	list := ""
	for i, tag := range tags {
		list += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, tag)
	}
	p.do(t, 1, "POST", "/pond/parts?uploadId="+id, "<CompleteMultipartUpload>"+list+"</CompleteMultipartUpload>")
	if a := p.do(t, 0, "GET", "/pond/parts", ""); a.Body != part+large {
		t.Errorf("%d bytes of %d", len(a.Body), len(part+large))
	}
}

// survivor goes on while the other is dead, and over what it left.
func (p *two) survivor(t *testing.T) {
	p.do(t, 0, "PUT", "/pond/left", large)
	p.walrus[0].Kill()
	if a := p.do(t, 1, "GET", "/pond/left", ""); a.Body != large {
		t.Errorf("%d bytes", len(a.Body))
	}
	p.do(t, 1, "PUT", "/pond/after", large)
	p.do(t, 1, "DELETE", "/pond/left", "")
	p.walrus[0].Start(t, "")
	if a := p.do(t, 0, "GET", "/pond/after", ""); a.Body != large {
		t.Errorf("%d bytes", len(a.Body))
	}
}

// swept waits until no bytes and no work are left.
func (p *two) swept(t *testing.T) {
	x, err := index.OpenPostgres(t.Context(), p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	files, err := content.OpenFiles(p.folder, content.FilesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	var found []string
	for range 100 {
		found = nil
		lines, err := x.Lines(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			found = append(found, fmt.Sprintf("line %+v", l))
		}
		err = files.List(t.Context(), func(i content.Info) error {
			found = append(found, filepath.Join("piece", i.ID))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("left: %v", found)
}

// TestTwoWalrusesKilledUnderLoad kills one or the other with -9 while hands
// put and copy through both, and looks through both for what was acknowledged.
func TestTwoWalrusesKilledUnderLoad(t *testing.T) {
	p := startTwo(t, "--orphan-age", "1h") // bytes of a put under way are no orphans
	p.do(t, 0, "PUT", "/pond", "")
	var hands []*hand
	for i := range 8 {
		hands = append(hands, &hand{w: p.walrus[i%2], key: fmt.Sprintf("k%d", i)})
	}
	for round := range 4 {
		var all sync.WaitGroup
		dying := p.walrus[round%2]
		over := make(chan struct{})
		for i, h := range hands {
			all.Go(func() {
				if h.w == dying {
					h.work(t)
					return
				}
				for n := 0; ; n++ {
					p.do(t, i, "PUT", fmt.Sprintf("/pond/other%d-%d", i, n%5), large)
					select {
					case <-over:
						return
					default:
					}
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		dying.Kill()
		close(over)
		all.Wait()
		for _, h := range hands {
			other := *h
			other.w = p.walrus[(round+1)%2]
			other.check(t)
		}
		dying.Start(t, "")
		for _, h := range hands {
			h.check(t)
		}
	}
	x, err := index.OpenPostgres(t.Context(), p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if _, err := x.Verify(t.Context(), func(problem string) { t.Error(problem) }); err != nil {
		t.Error(err)
	}
}
