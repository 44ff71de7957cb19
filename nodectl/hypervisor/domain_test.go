package hypervisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"karri/shared/fault"
	"karri/shared/id"

	"libvirt.org/go/libvirtxml"
)

func machine() Machine {
	return Machine{ID: "i-0123456789abcdef0", VCPUs: 1, MemoryMiB: 128, Disk: "/s/disk.qcow2", Base: "/s/base", BaseForm: "raw",
		Console: "/s/console.log", UID: 1_150_000_007, GID: 64055, NICs: []NIC{{Tap: "kt1", MAC: "02:00:00:00:00:01"}}}
}

func TestTheDomainIsAsWritten(t *testing.T) {
	for name, h := range map[string]*Hypervisor{
		"qemu": {c: Config{Cloud: "c1"}},
		"kvm":  {c: Config{Cloud: "c1", KVM: true}},
	} {
		got, err := h.render(machine())
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".xml")
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(golden, []byte(got+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got+"\n" != string(want) {
			t.Errorf("%s (UPDATE=1 rewrites it): %v\n%s", golden, err, got)
		}
	}
}

func TestEveryLayerOfADiskHasItsFormatStated(t *testing.T) {
	h := &Hypervisor{c: Config{Cloud: `<&">`}}
	text, err := h.render(machine())
	if err != nil {
		t.Fatal(err)
	}
	var d libvirtxml.Domain
	if err := d.Unmarshal(text); err != nil {
		t.Fatal(err)
	}
	for _, disk := range d.Devices.Disks {
		b := disk.BackingStore
		if disk.Driver.Type == "" || b == nil || b.Format.Type != "raw" || !strings.Contains(text, "<backingStore></backingStore>") {
			t.Errorf("a layer is left to be guessed: %s", text)
		}
	}
	if !strings.HasPrefix(d.UUID, "ec2") || len(d.UUID) != 36 {
		t.Errorf("uuid %s", d.UUID)
	}
}

func TestOnlyAnIdMakesADomain(t *testing.T) {
	m := machine()
	m.ID = "i-1/../../x"
	if _, err := (&Hypervisor{}).render(m); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestAnAliasComesBack(t *testing.T) {
	for _, a := range []alias{{"vol-0123456789abcdef0", 1, "sdf"}, {"vol-01234567", 1<<64 - 1, "xvdba12"}} {
		if b, ok := parseAlias(a.String()); !ok || a != b {
			t.Errorf("%v came back as %v, %v", a, b, ok)
		}
	}
	for _, s := range []string{"", "virtio-disk0", "ua-vol-1-1-sdf", "ua-vol-01234567-x-sdf", "ua-vol-01234567-1-s/df", "ua-vol-01234567-99999999999999999999-sdf"} {
		if a, ok := parseAlias(s); ok {
			t.Errorf("%q is taken for %v", s, a)
		}
	}
}

func TestTargetsAreTheFirstFree(t *testing.T) {
	disk := func(dev, name string) libvirtxml.DomainDisk {
		return libvirtxml.DomainDisk{Target: &libvirtxml.DomainDiskTarget{Dev: dev}, Alias: &libvirtxml.DomainAlias{Name: name}}
	}
	disks := []libvirtxml.DomainDisk{disk("vda", "virtio-disk0"), disk("vdb", alias{"vol-00000001", 3, "sdf"}.String())}
	if target, there, err := freeTarget(disks, alias{"vol-00000002", 1, "sdg"}); target != "vdc" || there || err != nil {
		t.Error(target, there, err)
	}
	if _, there, err := freeTarget(disks, alias{"vol-00000001", 3, "sdf"}); !there || err != nil {
		t.Error(there, err)
	}
	if _, _, err := freeTarget(disks, alias{"vol-00000001", 4, "sdf"}); fault.KindOf(err) != fault.Conflict {
		t.Error(err)
	}
	for c := 'c'; c <= 'z'; c++ {
		disks = append(disks, disk("vd"+string(c), "x"))
	}
	if _, _, err := freeTarget(disks, alias{"vol-00000002", 1, "sdg"}); fault.KindOf(err) != fault.Full {
		t.Error(err)
	}
}

func TestWhatALiveDomainShows(t *testing.T) {
	h := &Hypervisor{c: Config{Cloud: "c1", TLS: "z.blockstore.karri"}}
	disk := h.volumeDisk(alias{"vol-0123456789abcdef0", 7, "sdf"}, "vdb", "vol-0123456789abcdef0/7", "10.0.0.1", "10809")
	d := libvirtxml.Domain{Devices: devices(machine())}
	d.Devices.Disks = append(d.Devices.Disks, disk)
	text, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var s State
	if err := s.read(text); err != nil {
		t.Fatal(err)
	}
	if len(s.Taps) != 1 || s.Taps[0] != "kt1" || len(s.Volumes) != 1 || s.Volumes["vol-0123456789abcdef0"] != (Volume{7, "/dev/sdf"}) {
		t.Errorf("%+v", s)
	}
	if len(disk.Serial) > 20 {
		t.Errorf("serial %q does not fit", disk.Serial)
	}
}

func TestNamesOfOthersAreNotOurs(t *testing.T) {
	h := &Hypervisor{c: Config{Cloud: "c1"}}
	for name, want := range map[string]id.Instance{
		"karri-c1-i-0123456789abcdef0": "i-0123456789abcdef0", "karri-c12-i-0123456789abcdef0": "", "karri-c1-web": "", "web": "",
	} {
		if i, ours := h.instance(name); ours != (want != "") || ours && i != want {
			t.Errorf("%s: %s %v", name, i, ours)
		}
	}
}

func FuzzParseAlias(f *testing.F) {
	f.Add("ua-vol-0123456789abcdef0-7-sdf")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := parseAlias(s); ok {
			if b, ok := parseAlias(a.String()); !ok || a != b {
				t.Errorf("%q", s)
			}
		}
	})
}
