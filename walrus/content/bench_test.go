package content_test

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"karri/walrus/content/contenttest"
)

// cpu returns the time of the processors that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20} {
		for _, hands := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%dKiB/%d", size>>10, hands), func(b *testing.B) {
				f := openFiles(b, b.TempDir(), nil)
				data := contenttest.Random(size)
				b.SetBytes(int64(size))
				before := cpu()
				var left atomic.Int64
				left.Store(int64(b.N))
				done := make(chan error, hands)
				b.ResetTimer()
				for range hands {
					go func() {
						for left.Add(-1) >= 0 {
							w, err := f.Create(b.Context(), int64(size))
							if err == nil {
								_, err = w.Write(data)
							}
							if err == nil {
								err = w.Commit()
							}
							if err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
				}
				for range hands {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
			})
		}
	}
}

// BenchmarkGet reads a piece beside a loop that reads, checks and writes a file
// of the same bytes.
func BenchmarkGet(b *testing.B) {
	const size = 1 << 20
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	out := struct{ io.Writer }{null}
	data := contenttest.Random(size)
	b.Run("piece", func(b *testing.B) {
		f := openFiles(b, b.TempDir(), nil)
		id := contenttest.Put(b, f, data)
		before := cpu()
		for b.Loop() {
			r, err := f.Open(b.Context(), id, 0, size)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(out, r); err != nil {
				b.Fatal(err)
			}
			_ = r.Close()
		}
		b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
	})
	b.Run("loop", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "plain")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
		table, buf := crc32.MakeTable(crc32.Castagnoli), make([]byte, 64<<10)
		before := cpu()
		for b.Loop() {
			file, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			sum := uint32(0)
			for {
				n, err := file.Read(buf)
				if err != nil {
					break
				}
				sum = crc32.Update(sum, table, buf[:n])
				if _, err := out.Write(buf[:n]); err != nil {
					b.Fatal(err)
				}
			}
			_ = file.Close()
		}
		b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/op")
	})
}
