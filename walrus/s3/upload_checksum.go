package s3

import (
	"fmt"

	"karri/shared/fault"
	"karri/walrus/checksum"
	"karri/walrus/index"
)

// uploadChecksum reads which checksum the object will have: of the parts'
// checksums where the algorithm is a digest, of the whole where it must be.
func (c *call) uploadChecksum(u *index.Upload) error {
	u.Algorithm = checksum.CRC64NVME
	named, kind := c.r.Header.Get("X-Amz-Checksum-Algorithm"), c.r.Header.Get("X-Amz-Checksum-Type")
	if named == "" {
		if kind != "" {
			return invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return nil
	}
	a, ok := checksum.Parse(named)
	if !ok {
		return badChecksum
	}
	u.Algorithm, u.Asked, u.Composite = a, true, a != checksum.CRC64NVME
	switch {
	case kind == "":
	case kind == "COMPOSITE" && a != checksum.CRC64NVME:
	case kind == "FULL_OBJECT" && a.CRC():
		u.Composite = false
	case kind == "COMPOSITE" || kind == "FULL_OBJECT":
		return invalidRequest("The %s checksum type cannot be used with the %s checksum algorithm.", kind, a)
	default:
		return invalidRequest("Value for x-amz-checksum-type header is invalid.")
	}
	return nil
}

// sumOf returns the checksum of a part by an algorithm, "" when it is not known.
func sumOf(u *index.Upload, p *index.Part, a checksum.Algorithm) string {
	switch a {
	case u.Algorithm:
		return p.Checksum
	case p.Said:
		return p.SaidSum
	}
	return ""
}

// agrees reports whether the checksums that a completion lists for a part are
// those that it has.
func (x *checksumXML) agrees(u *index.Upload, p *index.Part) bool {
	for _, a := range checksum.All {
		if said := *x.of(a); said != "" && said != sumOf(u, p, a) {
			return false
		}
	}
	return true
}

// whole finds the checksum of the object that parts make, and holds against it
// what the headers say. Where the upload named no algorithm and the headers do
// now, the object gets the checksum that they say, if the parts can prove it.
func (c *call) whole(u *index.Upload, parts []index.Part) (index.Checksum, error) {
	a, said := u.Algorithm, ""
	for _, named := range checksum.All {
		switch v := c.r.Header.Get(named.Header()); {
		case v == "":
		case said != "":
			return index.Checksum{}, invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		default:
			a, said = named, v
		}
	}
	composite := u.Composite
	if kind := c.r.Header.Get("X-Amz-Checksum-Type"); kind != "" {
		if composite = kind == checksumType(true); kind != checksumType(composite) {
			return index.Checksum{}, invalidRequest("Value for x-amz-checksum-type header is invalid.")
		}
		if u.Asked && composite != u.Composite {
			return index.Checksum{}, invalidRequest("The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", checksumType(u.Composite))
		}
	}
	forms := []bool{composite}
	if a != u.Algorithm && !u.Asked && c.r.Header.Get("X-Amz-Checksum-Type") == "" {
		forms = []bool{true, false} // whichever it is
	}
	for _, composite := range forms {
		sum, ok := joined(u, parts, a, composite)
		switch {
		case !ok && a == u.Algorithm:
			return sum, index.Damaged.Because(fmt.Errorf("upload %s: checksums of parts cannot be joined", u.ID))
		case ok && (said == "" || said == sum.Value || composite && said+fmt.Sprintf("-%d", len(parts)) == sum.Value):
			return sum, nil
		}
	}
	return index.Checksum{}, fault.New(fault.Invalid, "BadDigest", "The %s you specified did not match the calculated checksum.", a)
}

// joined returns the checksum of the whole from those of the parts; ok is false
// when not all of them are known, or the algorithm does not allow it.
func joined(u *index.Upload, parts []index.Part, a checksum.Algorithm, composite bool) (sum index.Checksum, ok bool) {
	sum = index.Checksum{Algorithm: a, Composite: composite}
	if composite {
		var sums []string
		for i := range parts {
			sums = append(sums, sumOf(u, &parts[i], a))
		}
		v, ok := a.Composite(sums)
		sum.Value = fmt.Sprintf("%s-%d", v, len(parts))
		return sum, ok
	}
	if !a.CRC() {
		return sum, false
	}
	sum.Value, ok = sumOf(u, &parts[0], a), true
	for i := range parts[1:] {
		p := &parts[i+1]
		if sum.Value, ok = a.Combine(sum.Value, sumOf(u, p, a), p.Size); !ok {
			break
		}
	}
	return sum, ok && a.Valid(sum.Value)
}
