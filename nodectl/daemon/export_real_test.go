//go:build real

package daemon

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"karri/shared/pki"
	"karri/shared/port"
	"karri/shared/wire"
)

// export serves a volume as blockstore does.
type export struct {
	b    *bench
	file string
	tls  string
	port int
	cmd  *exec.Cmd
}

func (b *bench) export() *export {
	e := &export{b: b, file: filepath.Join(b.dir, "volume.qcow2"), tls: filepath.Join(b.dir, "server")}
	b.must(b.member(b.root, pki.Identity{Role: pki.Blockstore, Zone: zone}).QEMU(e.tls, "server", -1, -1))
	if out, err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", e.file, "64M").CombinedOutput(); err != nil {
		b.t.Fatalf("%s", out)
	}
	addr, err := port.Free("127.0.0.1")
	b.must(err)
	e.port = int(netip.MustParseAddrPort(addr).Port())
	b.t.Cleanup(e.kill)
	return e
}

func (e *export) serve(epoch int) {
	e.cmd = exec.Command("qemu-storage-daemon",
		"--object", "tls-creds-x509,id=t,endpoint=server,verify-peer=on,dir="+e.tls,
		"--blockdev", "driver=file,node-name=f,filename="+e.file, "--blockdev", "driver=qcow2,node-name=n,file=f",
		"--nbd-server", fmt.Sprintf("addr.type=inet,addr.host=127.0.0.1,addr.port=%d,tls-creds=t", e.port),
		"--export", fmt.Sprintf("type=nbd,id=e,node-name=n,name=%s/%d,writable=on", vol, epoch))
	e.cmd.Stderr = os.Stderr
	e.b.must(e.cmd.Start())
	e.b.await("the export", 10*time.Second, func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", e.port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (e *export) kill() {
	if e.cmd != nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
		e.cmd = nil
	}
}

func (e *export) attachment(epoch uint64) wire.Attachment {
	return wire.Attachment{Want: wire.Attached, Device: "/dev/sdf", Epoch: epoch, SizeGiB: 1,
		Address: fmt.Sprintf("127.0.0.1:%d", e.port), Export: fmt.Sprintf("%s/%d", vol, epoch)}
}

// userData watches for the volume and writes to it without a break.
const userData = `#!/bin/sh
(
  while :; do
    while [ ! -b /dev/vdb ]; do sleep 1; done
    echo "found $(cat /sys/block/vdb/serial)"
    n=0
    while [ -b /dev/vdb ]; do
      n=$((n + 1))
      dd if=/dev/zero of=/dev/vdb bs=4096 count=16 conv=fsync 2>/dev/null && echo "wrote $n"
      sleep 1
    done
    echo "lost the volume"
  done
) >/dev/ttyS0 2>&1 &
`
