// Package probe finds out by measurement which accelerator runs guests here.
//
// A /dev/kvm that can be opened proves nothing: where virtualisation is nested
// it may run a guest a hundred times slower than plain emulation. So a guest of
// one boot sector is run under each, as the user that QEMU will run as, and
// timed until it speaks on its serial port. The verdict is kept with the host's
// boot id, because another boot may be on other hardware.
package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"karri/shared/durable"
)

// Accelerator is the type of libvirt's domains.
type Accelerator string

const (
	KVM  Accelerator = "kvm"
	QEMU Accelerator = "qemu"
)

// limit bounds one run: a guest that needs longer to come out of its firmware
// is of no use.
const limit = 10 * time.Second

// code is the program of the boot sector: it writes the message behind it to
// the first serial port, then waits for the power button and switches off.
var code = []byte{
	0xfa,       // cli
	0x31, 0xc0, // xor ax,ax
	0x8e, 0xd8, // mov ds,ax
	0xfc,             // cld
	0xbe, 0x3a, 0x7c, // mov si,message
	0xac,       // next: lodsb
	0x84, 0xc0, // test al,al
	0x74, 0x12, // jz said
	0x88, 0xc4, // mov ah,al
	0xba, 0xfd, 0x03, // mov dx,3fd
	0xec,       // busy: in al,dx
	0xa8, 0x20, // test al,20
	0x74, 0xfb, // jz busy
	0xba, 0xf8, 0x03, // mov dx,3f8
	0x88, 0xe0, // mov al,ah
	0xee,       // out dx,al
	0xeb, 0xe9, // jmp next
	0xba, 0x02, 0x06, // said: mov dx,602 (ACPI: which events are enabled)
	0xb8, 0x00, 0x01, // mov ax,100 (the power button)
	0xef,             // out dx,ax
	0xba, 0x00, 0x06, // wait: mov dx,600 (ACPI: which events came)
	0xed,             // in ax,dx
	0xf6, 0xc4, 0x01, // test ah,1
	0x74, 0xf7, // jz wait
	0xba, 0x04, 0x06, // mov dx,604 (ACPI: control)
	0xb8, 0x00, 0x20, // mov ax,2000 (off)
	0xef,       // out dx,ax
	0xf4,       // off: hlt
	0xeb, 0xfd, // jmp off
}

// BootSector returns a disk of one sector whose guest says message on its
// serial port, and switches itself off when its power button is pressed.
func BootSector(message string) []byte {
	b := make([]byte, 512)
	n := copy(b, code)
	copy(b[n:508], message)
	b[510], b[511] = 0x55, 0xaa
	return b
}

// Verdict is what was measured. A time of zero means: not within the limit.
type Verdict struct {
	Boot        string        `json:"boot"`
	Accelerator Accelerator   `json:"accelerator"`
	KVM         time.Duration `json:"kvm"`
	QEMU        time.Duration `json:"qemu"`
}

// Choose returns the accelerator of this boot of the host, from the file
// accelerator.json in the folder state or by measuring, as the user uid and for
// KVM with the group of its device: guests get a device of their own group.
func Choose(ctx context.Context, state string, boot string, uid, gid int) (Verdict, error) {
	file := filepath.Join(state, "accelerator.json")
	var v Verdict
	if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &v) == nil && v.Boot == boot && v.Accelerator != "" {
		return v, nil
	}
	v = Verdict{Boot: boot, Accelerator: QEMU}
	v.QEMU = measure(ctx, QEMU, uid, gid, limit)
	if fi, err := os.Stat("/dev/kvm"); err == nil {
		gid = int(fi.Sys().(*syscall.Stat_t).Gid)
	}
	v.KVM = measure(ctx, KVM, uid, gid, slowest(v.QEMU))
	if err := ctx.Err(); err != nil {
		return v, err
	}
	v.Accelerator = pick(v.KVM, v.QEMU)
	if v.KVM == 0 && v.QEMU == 0 {
		return v, fmt.Errorf("no guest can be run here: qemu-system-x86_64 gave no answer with either accelerator")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return v, err
	}
	return v, durable.WriteFile(file, b, 0o644)
}

// pick prefers KVM unless it is clearly slower: most of so short a run is the
// start of the process, which is the same for both.
func pick(kvm, qemu time.Duration) Accelerator {
	if kvm != 0 && kvm <= slowest(qemu) {
		return KVM
	}
	return QEMU
}

// slowest returns how long KVM may take to be preferred.
func slowest(qemu time.Duration) time.Duration {
	if qemu == 0 {
		return limit
	}
	return min(limit, 2*qemu+time.Second)
}

const greeting = "karri probe"

// measure returns how long a guest takes to speak, 0 when it does not.
func measure(ctx context.Context, a Accelerator, uid, gid int, most time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	d, err := run(ctx, a, uid, gid)
	slog.Info("probed", "accelerator", a, "took", d, "err", err)
	if err != nil {
		return 0
	}
	return d
}

func run(ctx context.Context, a Accelerator, uid, gid int) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f, err := os.CreateTemp("", "karri-probe-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(BootSector(greeting)); err != nil {
		return 0, err
	}
	if err := f.Chmod(0o644); err != nil {
		return 0, err
	}
	accel := string(a)
	if a == QEMU {
		accel = "tcg"
	}
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-machine", "pc", "-accel", accel, "-m", "16", "-nodefaults", "-no-user-config",
		"-display", "none", "-monitor", "none", "-serial", "stdio", "-snapshot",
		"-drive", "if=ide,format=raw,file="+strings.ReplaceAll(f.Name(), ",", ",,"))
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	said := &ear{heard: make(chan struct{})}
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = said, &stderr, time.Second
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-said.heard:
		took := time.Since(began)
		cancel()
		<-ended
		return took, nil
	case err := <-ended:
		return 0, fmt.Errorf("%v: %s", err, strings.TrimSpace(stderr.String()))
	}
}

// An ear listens for the greeting.
type ear struct {
	got   []byte
	heard chan struct{}
	done  bool
}

func (e *ear) Write(p []byte) (int, error) {
	if e.got = append(e.got, p...); !e.done && bytes.Contains(e.got, []byte(greeting)) {
		e.done = true
		close(e.heard)
	}
	return len(p), nil
}
