package hypervisor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"

	"karri/shared/fault"
	"karri/shared/id"

	"libvirt.org/go/libvirtxml"
)

// Machine is all that the domain of an instance is made from.
type Machine struct {
	ID        id.Instance
	VCPUs     int
	MemoryMiB int
	Disk      string // path of the instance's own qcow2 disk
	Base      string // path of the image below it
	BaseForm  string // raw or qcow2
	Console   string // file that gets what the guest writes to its serial port
	UID, GID  int    // that QEMU runs as; libvirtd's choice when zero
	NICs      []NIC
}

// NIC is one network interface: a tap that libvirt makes and ends with the
// machine.
type NIC struct{ Tap, MAC string }

// metadataSpace is the XML name space of our element in a domain's metadata.
const metadataSpace = "urn:karri:instance:1"

// uuid returns the machine's SMBIOS uuid. It begins with ec2, by which guests
// know where they are, and holds the instance's id.
func (h *Hypervisor) uuid(i id.Instance) string {
	sum := sha256.Sum256([]byte(h.name(i)))
	d := "ec2" + string(i)[2:] + hex.EncodeToString(sum[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", d[:8], d[8:12], d[12:16], d[16:20], d[20:32])
}

// render returns the XML of m's domain. Every layer of the disk has its format
// stated, to the last, so that neither libvirt nor QEMU ever guesses one.
func (h *Hypervisor) render(m Machine) (string, error) {
	if !id.Valid[id.Instance](string(m.ID)) {
		return "", fault.New(fault.Invalid, "InvalidInstanceID.Malformed", "%q is not an instance's id.", string(m.ID))
	}
	uuid := h.uuid(m.ID)
	d := libvirtxml.Domain{
		Type: "qemu", Name: h.name(m.ID), UUID: uuid,
		Metadata: &libvirtxml.DomainMetadata{XML: h.mark(m.ID)},
		Memory:   &libvirtxml.DomainMemory{Value: uint(m.MemoryMiB), Unit: "MiB"},
		VCPU:     &libvirtxml.DomainVCPU{Value: uint(m.VCPUs)},
		SysInfo: []libvirtxml.DomainSysInfo{{SMBIOS: &libvirtxml.DomainSysInfoSMBIOS{System: &libvirtxml.DomainSysInfoSystem{
			Entry: []libvirtxml.DomainSysInfoEntry{
				{Name: "manufacturer", Value: "Karri"}, {Name: "product", Value: "EC2"},
				{Name: "serial", Value: uuid}, {Name: "uuid", Value: uuid},
			}}}}},
		OS: &libvirtxml.DomainOS{
			Type:   &libvirtxml.DomainOSType{Arch: "x86_64", Machine: "pc", Type: "hvm"},
			SMBios: &libvirtxml.DomainSMBios{Mode: "sysinfo"},
		},
		Features:   &libvirtxml.DomainFeatureList{ACPI: &libvirtxml.DomainFeature{}, APIC: &libvirtxml.DomainFeatureAPIC{}},
		CPU:        &libvirtxml.DomainCPU{Mode: "maximum"},
		Clock:      &libvirtxml.DomainClock{Offset: "utc", Timer: []libvirtxml.DomainTimer{{Name: "hpet", Present: "no"}}},
		OnPoweroff: "destroy", OnReboot: "restart", OnCrash: "destroy",
		PM: &libvirtxml.DomainPM{
			SuspendToMem:  &libvirtxml.DomainPMPolicy{Enabled: "no"},
			SuspendToDisk: &libvirtxml.DomainPMPolicy{Enabled: "no"},
		},
		Devices: devices(m),
	}
	if m.UID != 0 {
		d.SecLabel = []libvirtxml.DomainSecLabel{{Type: "static", Model: "dac", Relabel: "no", Label: fmt.Sprintf("+%d:+%d", m.UID, m.GID)}}
	}
	if h.c.KVM {
		d.Type = "kvm"
		d.CPU = &libvirtxml.DomainCPU{Mode: "host-passthrough", Migratable: "on"}
	} else {
		// Without a bound the cache of translated code takes up to 1 GiB per guest.
		d.Features.TCG = &libvirtxml.DomainFeatureTCG{TBCache: &libvirtxml.DomainFeatureTCGTBCache{Unit: "MiB", Size: 32}}
	}
	text, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("render the domain of %s: %w", m.ID, err)
	}
	return text, nil
}

func (h *Hypervisor) mark(i id.Instance) string {
	var cloud bytes.Buffer
	_ = xml.EscapeText(&cloud, []byte(h.c.Cloud)) // to memory
	return fmt.Sprintf(`<karri:instance xmlns:karri="%s" cloud="%s" id="%s"/>`, metadataSpace, cloud.String(), i)
}

func devices(m Machine) *libvirtxml.DomainDeviceList {
	pty := func() *libvirtxml.DomainChardevSource {
		return &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}}
	}
	port := uint(0)
	l := &libvirtxml.DomainDeviceList{
		Emulator: "/usr/bin/qemu-system-x86_64",
		Disks: []libvirtxml.DomainDisk{{
			Device: "disk",
			Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "qcow2", Cache: "writeback", Discard: "unmap", ErrorPolicy: "stop"},
			Source: file(m.Disk),
			BackingStore: &libvirtxml.DomainDiskBackingStore{
				Format: &libvirtxml.DomainDiskFormat{Type: m.BaseForm}, Source: file(m.Base),
				BackingStore: &libvirtxml.DomainDiskBackingStore{}, // the last layer
			},
			Target: &libvirtxml.DomainDiskTarget{Dev: "vda", Bus: "virtio"},
			Boot:   &libvirtxml.DomainDeviceBoot{Order: 1},
		}},
		Controllers: []libvirtxml.DomainController{{Type: "usb", Model: "none"}},
		Serials: []libvirtxml.DomainSerial{{
			Source: pty(), Target: &libvirtxml.DomainSerialTarget{Port: &port},
			Log: &libvirtxml.DomainChardevLog{File: m.Console, Append: "on"},
		}},
		Consoles: []libvirtxml.DomainConsole{{Source: pty(), Target: &libvirtxml.DomainConsoleTarget{Type: "serial", Port: &port}}},
		RNGs: []libvirtxml.DomainRNG{{Model: "virtio",
			Backend: &libvirtxml.DomainRNGBackend{Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/urandom"}}}},
		MemBalloon: &libvirtxml.DomainMemBalloon{Model: "virtio"},
	}
	for _, n := range m.NICs {
		l.Interfaces = append(l.Interfaces, libvirtxml.DomainInterface{
			Source: &libvirtxml.DomainInterfaceSource{Ethernet: &libvirtxml.DomainInterfaceSourceEthernet{}},
			MAC:    &libvirtxml.DomainInterfaceMAC{Address: n.MAC},
			Target: &libvirtxml.DomainInterfaceTarget{Dev: n.Tap},
			Model:  &libvirtxml.DomainInterfaceModel{Type: "virtio"},
			Driver: &libvirtxml.DomainInterfaceDriver{Name: "qemu"},
			ROM:    &libvirtxml.DomainROM{Enabled: "no"},
		})
	}
	return l
}

func file(path string) *libvirtxml.DomainDiskSource {
	return &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: path}}
}

// read fills in what the XML of a live domain shows.
func (s *State) read(text string) error {
	var d libvirtxml.Domain
	if err := d.Unmarshal(text); err != nil {
		return fmt.Errorf("read a domain's XML: %w", err)
	}
	s.Volumes = map[id.Volume]Volume{}
	for _, n := range d.Devices.Interfaces {
		if n.Target != nil {
			s.Taps = append(s.Taps, n.Target.Dev)
		}
	}
	for _, disk := range d.Devices.Disks {
		if disk.Alias == nil {
			continue
		}
		if v, ok := parseAlias(disk.Alias.Name); ok {
			s.Volumes[v.volume] = Volume{Epoch: v.epoch, Device: v.device()}
		}
	}
	return nil
}
