package daemon_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// BenchmarkVersion2 reads an object with signatures of version 2, many at once:
// each of its own, of which cloudctl is asked, or all the same one. The CPU is
// that of the client, walrus and the stand-in for cloudctl together.
func BenchmarkVersion2(b *testing.B) {
	w := walrustest.Start(b, walrustest.StartCloud(b), daemon.Config{})
	w.Do(b, walrustest.Ann, "PUT", "/pond", "")
	w.Do(b, walrustest.Ann, "PUT", "/pond/x", "hello")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	var n atomic.Int64
	read := func(kind string) error {
		r := w.Request(b, "GET", "/pond/x", "", "Content-Type: "+kind, "Date: "+time.Now().UTC().Truncate(time.Hour/6).Format(http.TimeFormat))
		h := hmac.New(sha1.New, []byte(walrustest.Ann.Secret))
		fmt.Fprintf(h, "GET\n\n%s\n%s\n/pond/x", kind, r.Header.Get("Date"))
		r.Header.Set("Authorization", "AWS "+walrustest.Ann.AccessKey+":"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
		res, err := client.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if got, err := io.ReadAll(res.Body); err != nil || string(got) != "hello" {
			return fmt.Errorf("%s: %q, %v", res.Status, got, err)
		}
		return nil
	}
	for name, kind := range map[string]func() string{
		"new":   func() string { return strconv.FormatInt(n.Add(1), 10) },
		"known": func() string { return "same" },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(32)
			before := used(b)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := read(kind()); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64((used(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

// used is the CPU time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
