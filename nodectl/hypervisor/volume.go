package hypervisor

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"karri/shared/fault"
	"karri/shared/id"

	libvirt "github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"
)

// An Export is a volume as blockstore serves it, and where it is to appear.
type Export struct {
	Volume  id.Volume
	Epoch   uint64
	Device  string // /dev/sdf; what is reported, the guest's kernel picks its own name
	Address string // host:port
	Name    string // of the export
}

// An alias is the name that libvirt keeps for a disk: the only thing of ours
// that it hands back, so volume, epoch and device are in it.
type alias struct {
	volume id.Volume
	epoch  uint64
	short  string // the device without /dev/
}

func (a alias) String() string { return fmt.Sprintf("ua-%s-%d-%s", a.volume, a.epoch, a.short) }

func (a alias) device() string { return "/dev/" + a.short }

var aliasForm = regexp.MustCompile(`^ua-(vol-[0-9a-f]{8}|vol-[0-9a-f]{17})-([0-9]{1,20})-([a-z0-9]{1,16})$`)

func parseAlias(s string) (alias, bool) {
	m := aliasForm.FindStringSubmatch(s)
	if m == nil {
		return alias{}, false
	}
	epoch, err := strconv.ParseUint(m[2], 10, 64)
	return alias{id.Volume(m[1]), epoch, m[3]}, err == nil
}

// serial is what the guest reads as the disk's serial number: as on EC2 the id
// without its dash, which fits the 20 bytes that virtio has for it.
func serial(v id.Volume) string { return strings.Replace(string(v), "-", "", 1) }

// Attach plugs e into a domain that is on. If another epoch of the volume is
// still there, it is a conflict: that must be detached first.
func (h *Hypervisor) Attach(ctx context.Context, i id.Instance, e Export) error {
	a := alias{e.Volume, e.Epoch, strings.TrimPrefix(e.Device, "/dev/")}
	if _, ok := parseAlias(a.String()); !ok {
		return fault.New(fault.Invalid, "InvalidParameterValue", "%s cannot be attached as %q.", e.Volume, e.Device)
	}
	host, port, err := net.SplitHostPort(e.Address)
	if err != nil {
		return fmt.Errorf("attach %s: %w", e.Volume, err)
	}
	if err := reachable(ctx, e.Address); err != nil {
		return err
	}
	return h.on(ctx, i, "attach "+string(e.Volume), func(l *libvirt.Libvirt, d libvirt.Domain) error {
		text, err := l.DomainGetXMLDesc(d, 0)
		if err != nil {
			return err
		}
		var live libvirtxml.Domain
		if err := live.Unmarshal(text); err != nil {
			return err
		}
		target, there, err := freeTarget(live.Devices.Disks, a)
		if err != nil || there {
			return err
		}
		disk := h.volumeDisk(a, target, e.Name, host, port)
		xml, err := disk.Marshal()
		if err != nil {
			return err
		}
		return l.DomainAttachDeviceFlags(d, xml, uint32(libvirt.DomainDeviceModifyLive))
	})
}

// reachable dials the export before QEMU does: QEMU would stand still, guest and
// all, for as long as the network takes to give up.
func reachable(ctx context.Context, address string) error {
	c, err := (&net.Dialer{Timeout: 3 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fault.New(fault.Later, "VolumeUnreachable", "The volume's export at %s does not answer.", address).Because(err)
	}
	return c.Close()
}

// freeTarget returns the first unused target and whether a is plugged already.
func freeTarget(disks []libvirtxml.DomainDisk, a alias) (target string, there bool, err error) {
	used := map[string]bool{}
	for _, disk := range disks {
		if disk.Target != nil {
			used[disk.Target.Dev] = true
		}
		if disk.Alias == nil {
			continue
		}
		if b, ok := parseAlias(disk.Alias.Name); ok && b.volume == a.volume {
			if b.epoch != a.epoch {
				return "", false, fault.New(fault.Conflict, "IncorrectState", "%s is still plugged in by epoch %d.", a.volume, b.epoch)
			}
			return "", true, nil
		}
	}
	for c := 'b'; c <= 'z'; c++ {
		if t := "vd" + string(c); !used[t] {
			return t, false, nil
		}
	}
	return "", false, fault.New(fault.Full, "AttachmentLimitExceeded", "The machine has no room for another disk.")
}

func (h *Hypervisor) volumeDisk(a alias, target, export, host, port string) libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device: "disk",
		// The guest stands still on an I/O error, and is resumed when the export is
		// back; QEMU then repeats what failed.
		Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "raw", Cache: "none", Discard: "unmap", ErrorPolicy: "stop", RErrorPolicy: "stop"},
		Source: &libvirtxml.DomainDiskSource{Network: &libvirtxml.DomainDiskSourceNetwork{
			Protocol: "nbd", Name: export, TLS: "yes", TLSHostname: h.c.TLS,
			Hosts: []libvirtxml.DomainDiskSourceHost{{Transport: "tcp", Name: host, Port: port}},
		}},
		Target: &libvirtxml.DomainDiskTarget{Dev: target, Bus: "virtio"},
		Serial: serial(a.volume),
		Alias:  &libvirtxml.DomainAlias{Name: a.String()},
	}
}

// Detach asks the guest to let go of v. It returns before the guest has, and
// may be repeated.
func (h *Hypervisor) Detach(ctx context.Context, i id.Instance, v id.Volume) error {
	return h.on(ctx, i, "detach "+string(v), func(l *libvirt.Libvirt, d libvirt.Domain) error {
		text, err := l.DomainGetXMLDesc(d, 0)
		if err != nil {
			return err
		}
		var live libvirtxml.Domain
		if err := live.Unmarshal(text); err != nil {
			return err
		}
		for _, disk := range live.Devices.Disks {
			if disk.Alias == nil {
				continue
			}
			if a, ok := parseAlias(disk.Alias.Name); ok && a.volume == v {
				return l.DomainDetachDeviceAlias(d, disk.Alias.Name, uint32(libvirt.DomainDeviceModifyLive))
			}
		}
		return nil
	})
}
