package pki

import (
	"fmt"
	"regexp"
	"strings"
)

// The roles of components.
const (
	Cloudctl   = "cloudctl"
	Walrus     = "walrus"
	Clusterctl = "clusterctl"
	Blockstore = "blockstore"
	Nodectl    = "nodectl"
)

const domain = ".karri"

// Identity is who a component is. Zone is empty for cloudctl and walrus; Name
// is set for a nodectl alone.
type Identity struct {
	Role string
	Zone string
	Name string
}

var (
	labelForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	parts     = map[string]int{Cloudctl: 0, Walrus: 0, Clusterctl: 1, Blockstore: 1, Nodectl: 2}
)

// maxName keeps a name short enough for the common name of a certificate,
// by which QEMU knows a client.
const maxName = 64

// String returns the identity as the DNS name in its certificate.
func (i Identity) String() string {
	s := i.Role + domain
	if i.Zone != "" {
		s = i.Zone + "." + s
	}
	if i.Name != "" {
		s = i.Name + "." + s
	}
	return s
}

// Parse is the reverse of String.
func Parse(dns string) (Identity, error) {
	head, ok := strings.CutSuffix(dns, domain)
	labels := strings.Split(head, ".")
	id := Identity{Role: labels[len(labels)-1]}
	if len(labels) >= 2 {
		id.Zone = labels[len(labels)-2]
	}
	if len(labels) >= 3 {
		id.Name = labels[len(labels)-3]
	}
	if !ok || id.String() != dns {
		return Identity{}, fmt.Errorf("%q is not the name of a component", dns)
	}
	return id, id.check()
}

func (i Identity) check() error {
	n, ok := parts[i.Role]
	if !ok || (i.Zone != "") != (n >= 1) || (i.Name != "") != (n == 2) || len(i.String()) > maxName {
		return fmt.Errorf("%q is not the name of a component", i.String())
	}
	for _, l := range []string{i.Zone, i.Name} {
		if l != "" && !labelForm.MatchString(l) {
			return fmt.Errorf("%q cannot be part of a component's name: use small letters, digits and dashes", l)
		}
	}
	return nil
}

// MayIssue reports whether i may vouch for other: a clusterctl for the nodes
// of its zone, nobody else for anybody. (The root is no component.)
func (i Identity) MayIssue(other Identity) bool {
	return i.Role == Clusterctl && other.Role == Nodectl && i.Zone == other.Zone
}
