package s3_test

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
)

// shown reads a listing in pages and returns a line for each entry.
func (c *client) shown(query string, next func(x *versionsXML) string, line func(kind, key, id string, latest bool, size int) string) (all []string) {
	more := ""
	for range 1000 {
		r := c.ask("GET", "/pond?"+query+"&encoding-type=url&prefix="+url.QueryEscape(c.name+"/")+more, "")
		must(r.status == 200, "%s: %d %s", query, r.status, r.body)
		var x versionsXML
		must(xml.Unmarshal([]byte(r.body), &x) == nil, "%s", r.body)
		for _, i := range x.Items {
			if k := i.XMLName.Local; k == "Version" || k == "DeleteMarker" || k == "Contents" {
				key, _ := url.PathUnescape(i.Key)
				all = append(all, line(k, key, i.VersionId, i.IsLatest, i.Size))
			}
		}
		if !x.IsTruncated {
			return all
		}
		more = next(&x)
	}
	must(false, "%s does not end", query)
	return nil
}

func (c *client) sorted() []string {
	var keys []string
	for n := range 4 {
		keys = append(keys, c.key(n))
	}
	slices.Sort(keys)
	return keys
}

func (c *client) versions(max int) {
	got := c.shown(fmt.Sprintf("versions&max-keys=%d", max), func(x *versionsXML) string {
		return "&key-marker=" + x.NextKeyMarker + "&version-id-marker=" + x.NextVersionIdMarker
	}, func(kind, key, id string, latest bool, size int) string {
		return fmt.Sprint(kind, key, id, latest, size)
	})
	var want []string
	for _, key := range c.sorted() {
		for i, v := range c.keys[key] {
			kind := "Version"
			if v.marker {
				kind = "DeleteMarker"
			}
			want = append(want, fmt.Sprint(kind, key, v.id, i == 0, len(v.data)))
		}
	}
	must(slices.Equal(got, want), "versions: got %q, want %q", got, want)
}

func (c *client) list(max int) {
	last := ""
	got := c.shown(fmt.Sprintf("list-type=2&max-keys=%d", max), func(*versionsXML) string { return "&start-after=" + url.QueryEscape(last) },
		func(_, key, _ string, _ bool, size int) string { last = key; return fmt.Sprint(key, size) })
	var want []string
	for _, key := range c.sorted() {
		if v, ok := c.newest(key); ok {
			want = append(want, fmt.Sprint(key, len(v.data)))
		}
	}
	must(slices.Equal(got, want), "list: got %q, want %q", got, want)
}
