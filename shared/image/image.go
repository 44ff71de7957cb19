// Package image reads the first bytes of a disk image and says whether Karri
// may open it, and as what.
//
// A disk image is the most hostile input that a cloud takes: a qcow2 header can
// name a file of the host as its backing file or as the place of its data, and
// a program that guesses formats obeys a header which a guest wrote to its own
// raw disk. So the format is decided here, once, when an image is registered,
// from bytes alone and by our own parser; from then on it is stated to whatever
// opens the image and never guessed. What this package does not understand
// completely it refuses.
package image

import (
	"bytes"
	"encoding/binary"

	"karri/shared/fault"
)

// A Format is how the bytes of an image are to be read.
type Format string

const (
	Raw   Format = "raw"
	QCOW2 Format = "qcow2"
)

// HeaderBytes is how much of the start of an image Inspect wants to see; of a
// smaller image, all of it.
const HeaderBytes = 64 << 10

// MaxBytes is the largest virtual size that is taken.
const MaxBytes = 16 << 40

const sector = 512

// refuse returns the fault of an image that cannot be taken; its code is what
// EC2 names for an image that cannot be registered.
func refuse(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidManifest", "The image cannot be used: "+format+".", args...)
}

// foreign are the formats that are known by their first bytes and refused.
var foreign = []struct {
	at    int
	magic string
	name  string
}{
	{0, "KDMV", "a VMDK image"},
	{0, "COWD", "a VMDK image"},
	{0, "# Disk DescriptorFile", "a VMDK descriptor"},
	{0, "vhdxfile", "a VHDX image"},
	{0, "conectix", "a VHD image"},
	{0x40, "\x7f\x10\xda\xbe", "a VDI image"},
	{0, "QED\x00", "a QED image"},
	{0, "OOOM\x00\x00\x00\x02", "an image of the first COW format"},
	{0, "WithoutFreeSpace", "a Parallels image"},
	{0, "WithouFreSpacExt", "a Parallels image"},
	{0, "LUKS\xba\xbe", "an encrypted LUKS volume"},
	{0, "\x1f\x8b", "compressed with gzip; upload it uncompressed"},
	{0, "\xfd7zXZ\x00", "compressed with xz; upload it uncompressed"},
	{0, "BZh", "compressed with bzip2; upload it uncompressed"},
	{0, "\x28\xb5\x2f\xfd", "compressed with zstd; upload it uncompressed"},
	{0, "PK\x03\x04", "a zip archive"},
	{0, "\x7fELF", "a program or a kernel, not a disk"},
	{0, "<?xml", "an XML file, not a disk"},
}

// Inspect decides from the first bytes of an image, and from the size of all of
// it, what it is and how large a disk it makes. The fault that it returns says
// what is wrong in words for the user.
func Inspect(header []byte, size int64) (Format, int64, error) {
	if size <= 0 || len(header) == 0 {
		return "", 0, refuse("it is empty")
	}
	if want := min(size, HeaderBytes); int64(len(header)) < want {
		return "", 0, refuse("its first %d bytes are needed to inspect it and only %d are there", want, len(header))
	}
	if bytes.HasPrefix(header, []byte(qcow2Magic)) {
		virtual, err := inspectQCOW2(header, size)
		if err != nil {
			return "", 0, err
		}
		return QCOW2, virtual, nil
	}
	for _, f := range foreign {
		if len(header) >= f.at && bytes.HasPrefix(header[f.at:], []byte(f.magic)) {
			return "", 0, refuse("it is %s; Karri takes raw and qcow2", f.name)
		}
	}
	switch {
	case size%sector != 0:
		return "", 0, refuse("it is not qcow2, and as a raw disk its %d bytes are no whole number of sectors", size)
	case size > MaxBytes:
		return "", 0, refuse("its disk of %d bytes is larger than 16 TiB", size)
	case header[510] != 0x55 || header[511] != 0xaa:
		return "", 0, refuse("it is neither qcow2 nor a raw disk with a boot sector")
	}
	return Raw, size, nil
}

const qcow2Magic = "QFI\xfb"

// qcow2Header is the part of the header that versions 2 and 3 share, in order.
type qcow2Header struct {
	Magic, Version        uint32
	BackingOffset         uint64
	BackingSize           uint32
	ClusterBits           uint32
	Size                  uint64
	Crypt                 uint32
	L1Size                uint32
	L1Offset              uint64
	RefcountOffset        uint64
	RefcountClusters      uint32
	Snapshots             uint32
	SnapshotsOffset       uint64
	Incompatible          uint64 // from here on version 3 only
	Compatible, AutoClear uint64
	RefcountOrder         uint32
	HeaderLength          uint32
}

const (
	v2Length = 72
	v3Length = 104

	dirtyBit       = 1 << 0
	corruptBit     = 1 << 1
	dataFileBit    = 1 << 2
	compressionBit = 1 << 3
	extendedL2Bit  = 1 << 4

	maxL1Bytes       = 32 << 20 // QEMU's own bounds
	maxRefcountBytes = 8 << 20

	backingExtension  = 0xe2792aca
	dataFileExtension = 0x44415441
	cryptExtension    = 0x0537be77
)

func inspectQCOW2(b []byte, size int64) (int64, error) {
	if len(b) < v2Length {
		return 0, refuse("its qcow2 header is cut off")
	}
	h := qcow2Header{}
	padded := make([]byte, max(len(b), v3Length))
	copy(padded, b)
	if err := binary.Read(bytes.NewReader(padded), binary.BigEndian, &h); err != nil {
		return 0, refuse("its qcow2 header cannot be read")
	}
	switch h.Version {
	case 2:
		h.Incompatible, h.Compatible, h.RefcountOrder, h.HeaderLength = 0, 0, 4, v2Length
	case 3:
		if len(b) < v3Length || h.HeaderLength < v3Length || int64(h.HeaderLength) > int64(len(b)) || h.HeaderLength%8 != 0 {
			return 0, refuse("its qcow2 header has a bad length")
		}
	default:
		return 0, refuse("it is of qcow version %d; Karri takes versions 2 and 3", h.Version)
	}
	if err := h.reaches(); err != nil {
		return 0, err
	}
	if err := h.measures(size); err != nil {
		return 0, err
	}
	if err := h.extensions(b); err != nil {
		return 0, err
	}
	return int64(h.Size), nil
}

// reaches refuses a header that reads bytes from anywhere but the image itself,
// or asks for a feature that is not understood here.
func (h *qcow2Header) reaches() error {
	switch {
	case h.BackingOffset != 0 || h.BackingSize != 0:
		return refuse("it needs a backing file; flatten it with qemu-img convert")
	case h.Incompatible&dataFileBit != 0:
		return refuse("it keeps its data in another file; flatten it with qemu-img convert")
	case h.Crypt != 0:
		return refuse("it is encrypted")
	case h.Snapshots != 0 || h.SnapshotsOffset != 0:
		return refuse("it holds internal snapshots; flatten it with qemu-img convert")
	case h.Incompatible&corruptBit != 0:
		return refuse("it is marked corrupt; repair it with qemu-img check")
	case h.Incompatible&dirtyBit != 0:
		return refuse("it was not closed cleanly; repair it with qemu-img check")
	case h.Incompatible&^(compressionBit|extendedL2Bit) != 0:
		return refuse("it uses an unknown qcow2 feature (%#x)", h.Incompatible)
	}
	return nil
}

// measures refuses sizes that make no sense or that would cost memory out of
// proportion, and tables that are not within the file.
func (h *qcow2Header) measures(file int64) error {
	if h.ClusterBits < 9 || h.ClusterBits > 21 || h.Incompatible&extendedL2Bit != 0 && h.ClusterBits < 14 {
		return refuse("its clusters of 2^%d bytes are not allowed", h.ClusterBits)
	}
	cluster := uint64(1) << h.ClusterBits
	if h.Size == 0 || h.Size%sector != 0 || h.Size > MaxBytes {
		return refuse("its virtual size of %d bytes is not a whole number of sectors up to 16 TiB", h.Size)
	}
	if h.RefcountOrder > 6 {
		return refuse("its reference counts are 2^%d bits wide", h.RefcountOrder)
	}
	entry := uint64(8)
	if h.Incompatible&extendedL2Bit != 0 {
		entry = 16
	}
	perL1 := cluster / entry * cluster // bytes of disk behind one entry
	l1 := uint64(h.L1Size) * 8
	if l1 > maxL1Bytes || uint64(h.L1Size) < (h.Size+perL1-1)/perL1 {
		return refuse("its table of %d first-level entries does not fit a disk of %d bytes", h.L1Size, h.Size)
	}
	if !within(h.L1Offset, l1, cluster, file) {
		return refuse("its first-level table is not within the file; the file is cut off")
	}
	refs := uint64(h.RefcountClusters) * cluster
	if refs == 0 || refs > maxRefcountBytes || !within(h.RefcountOffset, refs, cluster, file) {
		return refuse("its table of reference counts is not within the file; the file is cut off")
	}
	return nil
}

// within reports whether a table of n bytes at offset lies behind the header
// and inside the file, on a cluster's start.
func within(offset, n, cluster uint64, file int64) bool {
	return offset >= cluster && offset%cluster == 0 && offset <= uint64(file) && n <= uint64(file)-offset
}

// extensions walks the list behind the header and refuses entries that lead
// out of the image. A list without its end within the first cluster is refused.
func (h *qcow2Header) extensions(b []byte) error {
	if h.HeaderLength > v3Length {
		compression := b[v3Length]
		if compression > 1 || (compression != 0) != (h.Incompatible&compressionBit != 0) {
			return refuse("its clusters are compressed in an unknown way")
		}
	} else if h.Incompatible&compressionBit != 0 {
		return refuse("its clusters are compressed in an unknown way")
	}
	end := min(len(b), 1<<h.ClusterBits)
	for at := int(h.HeaderLength); ; {
		if at+8 > end {
			return refuse("its qcow2 header has no end")
		}
		kind, n := binary.BigEndian.Uint32(b[at:]), binary.BigEndian.Uint32(b[at+4:])
		switch kind {
		case 0:
			return nil
		case backingExtension, dataFileExtension:
			return refuse("its header names another file; flatten it with qemu-img convert")
		case cryptExtension:
			return refuse("it is encrypted")
		}
		if int64(n) > int64(end-at-8) {
			return refuse("its qcow2 header is cut off")
		}
		at += 8 + int(n+7)/8*8
	}
}
