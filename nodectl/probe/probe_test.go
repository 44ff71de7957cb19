package probe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"karri/shared/image"
)

func TestPickNeedsKVMToBeUseful(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		kvm, qemu time.Duration
		want      Accelerator
	}{
		{s / 2, s, KVM}, {s, s, KVM}, {3 * s, s, KVM}, {4 * s, s, QEMU}, {0, s, QEMU}, {9 * s, 0, KVM}, {0, 0, QEMU},
	} {
		if got := pick(c.kvm, c.qemu); got != c.want {
			t.Errorf("kvm %v, qemu %v: %s", c.kvm, c.qemu, got)
		}
	}
}

func TestTheVerdictOfThisBootIsKept(t *testing.T) {
	dir := t.TempDir()
	b, _ := json.Marshal(Verdict{Boot: "b1", Accelerator: KVM})
	if err := os.WriteFile(filepath.Join(dir, "accelerator.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := Choose(t.Context(), dir, "b1", 0, 0); err != nil || v.Accelerator != KVM {
		t.Errorf("%+v %v", v, err)
	}
}

func TestTheBootSectorIsAnImage(t *testing.T) {
	b := BootSector("hello")
	if f, n, err := image.Inspect(b, int64(len(b))); f != image.Raw || n != 512 || err != nil {
		t.Error(f, n, err)
	}
	if code[len(code)-1] != 0xfd || int(code[7])+int(code[8])<<8 != 0x7c00+len(code) {
		t.Errorf("the message is not where the program looks for it: %#x", len(code))
	}
}
