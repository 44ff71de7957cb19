// Package id has a type for the name of each kind of thing, so that a volume
// is never passed where an instance is meant.
//
// An id is a prefix, a dash and 17 hexadecimal digits, as EC2's longer resource
// ids are: i-0123456789abcdef0. It is random and never used twice.
package id

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"regexp"
	"strings"
)

type (
	Instance        string // i-
	Reservation     string // r-
	Image           string // ami-
	Volume          string // vol-
	Snapshot        string // snap-
	Key             string // key-
	Group           string // sg-
	Rule            string // sgr-
	VPC             string // vpc-
	Subnet          string // subnet-
	Interface       string // eni-
	Attachment      string // eni-attach-
	Allocation      string // eipalloc-
	Association     string // eipassoc-
	InternetGateway string // igw-
	RouteTable      string // rtb-
	RouteAssoc      string // rtbassoc-
	NetworkACL      string // acl-
	DHCPOptions     string // dopt-
	ProfileAssoc    string // iip-assoc-
)

// An ID is any of the typed ids.
type ID interface {
	Instance | Reservation | Image | Volume | Snapshot | Key | Group | Rule | VPC | Subnet | Interface |
		Attachment | Allocation | Association | InternetGateway | RouteTable | RouteAssoc | NetworkACL | DHCPOptions | ProfileAssoc
}

// Prefix returns what each id of type T begins with, without the dash.
func Prefix[T ID]() string {
	var t T
	switch any(t).(type) {
	case Instance:
		return "i"
	case Reservation:
		return "r"
	case Image:
		return "ami"
	case Volume:
		return "vol"
	case Snapshot:
		return "snap"
	case Key:
		return "key"
	case Group:
		return "sg"
	case Rule:
		return "sgr"
	case VPC:
		return "vpc"
	case Subnet:
		return "subnet"
	case Interface:
		return "eni"
	case Attachment:
		return "eni-attach"
	case Allocation:
		return "eipalloc"
	case Association:
		return "eipassoc"
	case InternetGateway:
		return "igw"
	case RouteTable:
		return "rtb"
	case RouteAssoc:
		return "rtbassoc"
	case NetworkACL:
		return "acl"
	case ProfileAssoc:
		return "iip-assoc"
	}
	return "dopt"
}

// New returns a fresh id made from r; nil means crypto/rand. A seeded cloud
// passes its own source so that a history can be replayed.
func New[T ID](r io.Reader) T {
	if r == nil {
		r = rand.Reader
	}
	var b [9]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		panic("id: no randomness: " + err.Error())
	}
	return T(Prefix[T]() + "-" + hex.EncodeToString(b[:])[:17])
}

var form = regexp.MustCompile(`^([a-z]+(?:-[a-z]+)?)-([0-9a-f]{8}|[0-9a-f]{17})$`)

// Valid reports whether s has the form of an id of type T, the old short form
// of eight digits included.
func Valid[T ID](s string) bool {
	m := form.FindStringSubmatch(s)
	return m != nil && m[1] == Prefix[T]()
}

// KindOf returns the prefix of s ("vol" for "vol-1234abcd"), or "" when s is
// not an id.
func KindOf(s string) string {
	if !form.MatchString(s) {
		return ""
	}
	return s[:strings.LastIndexByte(s, '-')]
}
