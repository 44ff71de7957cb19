//go:build real

package daemon_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// TestFullDisk fills a small disk. Writes are refused cleanly, reads and
// deletes go on, and writes work again when there is room, without hands.
func TestFullDisk(t *testing.T) {
	state := t.TempDir()
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=96m"); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	conf := daemon.Config{Reserve: 24}
	conf.State = state
	w := walrustest.Start(t, walrustest.StartCloud(t), conf)
	defer func() {
		w.Stop()
		if err := syscall.Unmount(state, 0); err != nil {
			t.Error(err)
		}
	}()
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	body := strings.Repeat("0123456789abcdef", 1<<18) // 4 MiB
	n := 0
	for ; n < 100; n++ {
		a := w.Do(t, ann, "PUT", fmt.Sprintf("/pond/k%03d", n), body)
		if a.Status == 507 && a.Code() == "InsufficientStorage" {
			break
		}
		if a.Status != 200 {
			t.Fatalf("put %d: %+v", n, a)
		}
	}
	if n == 0 || n == 100 {
		t.Fatalf("%d puts", n)
	}
	play(t, w, []ask{
		{method: "PUT", path: "/pond/small", body: "x", status: 507, code: "InsufficientStorage"},
		{method: "PUT", path: "/pond/copy", headers: []string{"x-amz-copy-source: pond/k000"}, status: 507, code: "InsufficientStorage"},
		{method: "POST", path: "/pond/k?uploads", status: 507, code: "InsufficientStorage"},
		{method: "HEAD", path: fmt.Sprintf("/pond/k%03d", n), status: 404},
		{method: "DELETE", path: "/pond/k001", status: 204},
		{method: "DELETE", path: "/pond/k002", status: 204},
	})
	if a := w.Do(t, ann, "GET", "/pond/k000", ""); a.Body != body {
		t.Errorf("read of a full disk: %d, %d bytes", a.Status, len(a.Body))
	}
	for range 100 { // the mill has its own pace
		if w.Do(t, ann, "PUT", "/pond/again", body).Status == 200 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("writes are refused though there is room")
}
