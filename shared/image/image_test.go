package image

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"karri/shared/fault"
)

func boot(size int) []byte {
	b := make([]byte, size)
	b[510], b[511] = 0x55, 0xaa
	return b
}

// qcow2 returns a small image that is taken, changed by edit.
func qcow2(edit func(h *qcow2Header, b []byte)) []byte {
	b := make([]byte, 4*65536)
	h := qcow2Header{Magic: 0x514649fb, Version: 3, ClusterBits: 16, Size: 1 << 30, L1Size: 2, L1Offset: 3 << 16,
		RefcountOffset: 1 << 16, RefcountClusters: 1, RefcountOrder: 4, HeaderLength: 112}
	edit(&h, b)
	var w bytes.Buffer
	_ = binary.Write(&w, binary.BigEndian, h)
	copy(b, w.Bytes())
	return b
}

func head(b []byte) []byte { return b[:min(len(b), HeaderBytes)] }

func extension(at int, kind uint32, data string) func(*qcow2Header, []byte) {
	return func(_ *qcow2Header, b []byte) {
		binary.BigEndian.PutUint32(b[at:], kind)
		binary.BigEndian.PutUint32(b[at+4:], uint32(len(data)))
		copy(b[at+8:], data)
	}
}

func TestWhatIsTaken(t *testing.T) {
	v2 := func(h *qcow2Header, _ []byte) { h.Version, h.RefcountOrder, h.HeaderLength = 2, 0, 0 }
	for name, c := range map[string]struct {
		b       []byte
		format  Format
		virtual int64
	}{
		"raw":              {boot(1 << 20), Raw, 1 << 20},
		"one sector":       {boot(512), Raw, 512},
		"version 3":        {qcow2(func(*qcow2Header, []byte) {}), QCOW2, 1 << 30},
		"version 2":        {qcow2(v2), QCOW2, 1 << 30},
		"header of 104":    {qcow2(func(h *qcow2Header, _ []byte) { h.HeaderLength = 104 }), QCOW2, 1 << 30},
		"lazy refcounts":   {qcow2(func(h *qcow2Header, _ []byte) { h.Compatible = 1 }), QCOW2, 1 << 30},
		"zstd":             {qcow2(func(h *qcow2Header, b []byte) { h.Incompatible = compressionBit; b[104] = 1 }), QCOW2, 1 << 30},
		"feature names":    {qcow2(extension(112, 0x6803f857, strings.Repeat("n", 144))), QCOW2, 1 << 30},
		"a longer L1":      {qcow2(func(h *qcow2Header, _ []byte) { h.L1Size = 8000 }), QCOW2, 1 << 30},
		"smallest cluster": {qcow2(func(h *qcow2Header, _ []byte) { h.ClusterBits, h.Size, h.L1Size = 9, 1<<20, 32 }), QCOW2, 1 << 20},
	} {
		f, n, err := Inspect(head(c.b), int64(len(c.b)))
		if f != c.format || n != c.virtual || err != nil {
			t.Errorf("%s: %s %d %v", name, f, n, err)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	with := func(edit func(h *qcow2Header)) []byte { return qcow2(func(h *qcow2Header, _ []byte) { edit(h) }) }
	foreignAt := func(at int, magic string) []byte { b := boot(1 << 16); copy(b[at:], magic); return b }
	for _, c := range []struct {
		why string
		b   []byte
	}{
		{"empty", nil},
		{"boot sector", make([]byte, 1<<20)},
		{"boot sector", []byte(strings.Repeat("hello world, this is a text file. ", 512))},
		{"sectors", boot(1<<20 + 1)},
		{"VMDK", foreignAt(0, "KDMV")},
		{"VMDK descriptor", foreignAt(0, "# Disk DescriptorFile\nRW 1 FLAT \"/etc/shadow\" 0\n")},
		{"VHDX", foreignAt(0, "vhdxfile")},
		{"VHD", foreignAt(0, "conectix")},
		{"VDI", foreignAt(0x40, "\x7f\x10\xda\xbe")},
		{"LUKS", foreignAt(0, "LUKS\xba\xbe")},
		{"gzip", foreignAt(0, "\x1f\x8b\x08")},
		{"cut off", qcow2(func(*qcow2Header, []byte) {})[:60]},
		{"bad length", qcow2(func(*qcow2Header, []byte) {})[:90]},
		{"cut off", qcow2(func(*qcow2Header, []byte) {})[:1<<16]},
		{"version 1", with(func(h *qcow2Header) { h.Version = 1 })},
		{"version 4", with(func(h *qcow2Header) { h.Version = 4 })},
		{"backing", with(func(h *qcow2Header) { h.BackingOffset, h.BackingSize = 200, 11 })},
		{"backing", with(func(h *qcow2Header) { h.BackingOffset = 200 })},
		{"another file", with(func(h *qcow2Header) { h.Incompatible = dataFileBit })},
		{"another file", qcow2(extension(112, dataFileExtension, "/etc/shadow"))},
		{"another file", qcow2(extension(112, backingExtension, "raw"))},
		{"encrypted", with(func(h *qcow2Header) { h.Crypt = 2 })},
		{"encrypted", qcow2(extension(112, cryptExtension, strings.Repeat("0", 16)))},
		{"snapshots", with(func(h *qcow2Header) { h.Snapshots = 1 })},
		{"corrupt", with(func(h *qcow2Header) { h.Incompatible = corruptBit })},
		{"cleanly", with(func(h *qcow2Header) { h.Incompatible = dirtyBit })},
		{"unknown", with(func(h *qcow2Header) { h.Incompatible = 1 << 40 })},
		{"unknown way", with(func(h *qcow2Header) { h.Incompatible = compressionBit })},
		{"unknown way", qcow2(func(_ *qcow2Header, b []byte) { b[104] = 7 })},
		{"16 TiB", with(func(h *qcow2Header) { h.Size = 1 << 60 })},
		{"16 TiB", with(func(h *qcow2Header) { h.Size = 1<<64 - 512 })},
		{"sectors", with(func(h *qcow2Header) { h.Size = 1<<30 + 1 })},
		{"sectors", with(func(h *qcow2Header) { h.Size = 0 })},
		{"clusters", with(func(h *qcow2Header) { h.ClusterBits = 63 })},
		{"clusters", with(func(h *qcow2Header) { h.ClusterBits = 8 })},
		{"first-level", with(func(h *qcow2Header) { h.L1Size = 1<<32 - 1 })},
		{"first-level", with(func(h *qcow2Header) { h.L1Size = 1 })},
		{"first-level", with(func(h *qcow2Header) { h.L1Offset = 1 << 50 })},
		{"first-level", with(func(h *qcow2Header) { h.L1Offset = 1<<64 - 65536 })},
		{"first-level", with(func(h *qcow2Header) { h.L1Offset = 0 })},
		{"first-level", with(func(h *qcow2Header) { h.L1Offset = 3<<16 + 8 })},
		{"reference", with(func(h *qcow2Header) { h.RefcountClusters = 1 << 31 })},
		{"reference", with(func(h *qcow2Header) { h.RefcountClusters = 0 })},
		{"wide", with(func(h *qcow2Header) { h.RefcountOrder = 7 })},
		{"bad length", with(func(h *qcow2Header) { h.HeaderLength = 1 << 31 })},
		{"bad length", with(func(h *qcow2Header) { h.HeaderLength = 72 })},
		{"cut off", qcow2(func(_ *qcow2Header, b []byte) { copy(b[112:], "\x00\x00\x00\x01\xff\xff\xff\xff") })},
	} {
		f, n, err := Inspect(head(c.b), int64(len(c.b)))
		if err == nil || !strings.Contains(err.Error(), c.why) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("want refused because of %q, got %s %d %v", c.why, f, n, err)
		}
	}
}

func TestAHeaderWithoutAnEndIsRefused(t *testing.T) {
	b := qcow2(func(_ *qcow2Header, b []byte) {
		for at := 112; at+8 <= 65536; at += 8 {
			binary.BigEndian.PutUint32(b[at:], 1)
		}
	})
	if _, _, err := Inspect(head(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), "no end") {
		t.Error(err)
	}
}

// TestAgreesWithQEMU holds the parser against images that qemu-img makes.
func TestAgreesWithQEMU(t *testing.T) {
	tool, err := exec.LookPath("qemu-img")
	if err != nil {
		t.Skip("qemu-img is not installed")
	}
	dir := t.TempDir()
	base := filepath.Join(dir, "base.qcow2")
	for _, c := range []struct {
		ok   bool
		args []string
	}{
		{true, []string{"-f", "qcow2", base, "100M"}},
		{true, []string{"-f", "qcow2", "-o", "compat=0.10", "F", "100M"}},
		{true, []string{"-f", "qcow2", "-o", "cluster_size=2M,lazy_refcounts=on", "F", "3T"}},
		{true, []string{"-f", "qcow2", "-o", "cluster_size=512", "F", "1G"}},
		{true, []string{"-f", "qcow2", "-o", "extended_l2=on,compression_type=zstd", "F", "77M"}},
		{false, []string{"-f", "qcow2", "-b", base, "-F", "qcow2", "F"}},
		{false, []string{"-f", "qcow2", "-o", "data_file=" + filepath.Join(dir, "data"), "F", "100M"}},
		{false, []string{"-f", "vmdk", "F", "100M"}},
		{false, []string{"-f", "vdi", "F", "100M"}},
		{false, []string{"-f", "vhdx", "F", "100M"}},
		{false, []string{"-f", "vpc", "F", "100M"}},
		{false, []string{"-f", "qed", "F", "100M"}},
	} {
		file := base
		for i, a := range c.args {
			if a == "F" {
				file = filepath.Join(dir, "f")
				c.args[i] = file
			}
		}
		if out, err := exec.Command(tool, append([]string{"create", "-q"}, c.args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", c.args, out)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		format, _, err := Inspect(head(b), int64(len(b)))
		if (err == nil) != c.ok || c.ok && format != QCOW2 {
			t.Errorf("%v: %s %v", c.args, format, err)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(boot(512), int64(512))
	f.Add(head(qcow2(func(*qcow2Header, []byte) {})), int64(4<<16))
	f.Add(head(qcow2(extension(112, 0x6803f857, "feature"))), int64(4<<16))
	f.Add([]byte("QFI\xfb\x00\x00\x00\x02"), int64(8))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		format, virtual, err := Inspect(b, size)
		if err != nil {
			if format != "" || virtual != 0 || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q %d %v", format, virtual, err)
			}
			return
		}
		if virtual <= 0 || virtual > MaxBytes || virtual%512 != 0 || format != Raw && format != QCOW2 {
			t.Errorf("%q %d", format, virtual)
		}
	})
}
