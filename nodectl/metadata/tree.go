package metadata

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/shared/wire"
)

// versions are all that EC2 has answered to; each shows the same tree here.
var versions = []string{"1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
	"2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30",
	"2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03", "2021-03-23", "2021-07-15",
	"2022-09-24", "2024-04-11", "latest"}

const (
	text   = "text/plain"
	octets = "application/octet-stream"
	fresh  = "secret" // made when it is asked for
)

// page returns what stands under a path. Paths are names between single
// slashes and are looked up whole: there is nothing that they could leave.
func (s *Service) page(g Guest, path string) (body []byte, kind string, ok bool) {
	if path == "/" || path == "" {
		return []byte(strings.Join(versions, "\n")), text, true
	}
	version, rest, deeper := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if path[0] != '/' || !slices.Contains(versions, version) {
		return nil, "", false
	}
	tree := s.tree(g)
	if !deeper || rest == "" {
		return []byte(list(tree, "")), text, true
	}
	if v, found := tree[rest]; found {
		switch rest {
		case "user-data":
			return []byte(v), octets, true
		case "dynamic/instance-identity/document":
			return []byte(v), "application/json", true
		}
		if strings.HasPrefix(rest, iam+"security-credentials/") {
			return nil, fresh, true
		}
		return []byte(v), text, true
	}
	l := list(tree, strings.TrimSuffix(rest, "/")+"/")
	return []byte(l), text, l != "" && !strings.HasSuffix(rest, "//")
}

// list names what is directly under a folder, folders with a slash. Keys are
// the exception that EC2 makes: number and name.
func list(tree map[string]string, folder string) string {
	if folder == "meta-data/public-keys/" {
		return tree["\x00keys"]
	}
	names := map[string]bool{}
	for p := range tree {
		if rest, under := strings.CutPrefix(p, folder); under && p[0] != 0 {
			name, _, deeper := strings.Cut(rest, "/")
			if deeper {
				name += "/"
			}
			names[name] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), "\n")
}

// tree returns all pages of an instance by their path.
func (s *Service) tree(g Guest) map[string]string {
	w := g.Order
	first := g.Interface
	if len(w.Interfaces) > 0 {
		first = w.Interfaces[0]
	}
	t := map[string]string{
		"ami-id":                      string(w.Image.ID),
		"ami-launch-index":            strconv.Itoa(w.Index),
		"ami-manifest-path":           "(unknown)",
		"block-device-mapping/ami":    "sda1",
		"block-device-mapping/root":   "/dev/sda1",
		"hostname":                    s.fqdn(g, first),
		"instance-action":             "none",
		"instance-id":                 string(g.ID),
		"instance-life-cycle":         "on-demand",
		"instance-type":               w.Type,
		"local-hostname":              s.fqdn(g, first),
		"local-ipv4":                  first.Address.String(),
		"mac":                         first.MAC,
		"placement/availability-zone": s.opt.Zone,
		"placement/region":            s.opt.Region,
		"profile":                     "default-hvm",
		"reservation-id":              string(w.Reservation),
		"security-groups":             strings.Join(w.Groups, "\n"),
		"services/domain":             s.opt.Domain,
		"services/partition":          "aws",
	}
	if first.Public.IsValid() {
		t["public-ipv4"] = first.Public.String()
		t["public-hostname"] = publicName(g, first)
	}
	n := 0
	for _, v := range slices.Sorted(maps.Keys(w.Volumes)) {
		if a := w.Volumes[v]; a.Want == wire.Attached {
			n++
			t["block-device-mapping/ebs"+strconv.Itoa(n)] = a.Device
		}
	}
	for i, f := range w.Interfaces {
		s.addInterface(t, g, i, f)
	}
	out := map[string]string{"dynamic/instance-identity/document": s.document(g, first)}
	if w.PublicKey != "" {
		t["public-keys/0/openssh-key"] = strings.TrimSuffix(w.PublicKey, "\n") + "\n"
		out["\x00keys"] = "0=" + w.KeyName
	}
	for p, v := range t {
		out["meta-data/"+p] = v
	}
	addRole(out, w, s.opt.Now())
	if len(w.UserData) > 0 {
		out["user-data"] = string(w.UserData)
	}
	return out
}

func (s *Service) addInterface(t map[string]string, g Guest, index int, f wire.Interface) {
	groups := make([]string, len(f.Groups))
	for i, x := range f.Groups {
		groups[i] = string(x)
	}
	vpc := g.Networks[f.VPC]
	at := "network/interfaces/macs/" + f.MAC + "/"
	for name, v := range map[string]string{
		"device-number":          strconv.Itoa(index),
		"interface-id":           string(f.ID),
		"local-hostname":         s.fqdn(g, f),
		"local-ipv4s":            f.Address.String(),
		"mac":                    f.MAC,
		"owner-id":               g.Order.Account,
		"security-group-ids":     strings.Join(groups, "\n"),
		"security-groups":        strings.Join(g.Order.Groups, "\n"),
		"subnet-id":              string(f.Subnet),
		"subnet-ipv4-cidr-block": f.CIDR.Masked().String(),
		"vpc-id":                 string(f.VPC),
		"vpc-ipv4-cidr-block":    vpc.CIDR.String(),
		"vpc-ipv4-cidr-blocks":   vpc.CIDR.String(),
		"network-card":           "0",
	} {
		if v != "" {
			t[at+name] = v
		}
	}
	if f.Public.IsValid() {
		t[at+"public-ipv4s"] = f.Public.String()
		t[at+"public-hostname"] = publicName(g, f)
		t[at+"ipv4-associations/"+f.Public.String()] = f.Address.String()
	}
}

// fqdn returns the private name of an interface.
func (s *Service) fqdn(g Guest, f wire.Interface) string {
	name := f.Hostname
	if name == "" {
		name = "ip-" + strings.ReplaceAll(f.Address.String(), ".", "-")
	}
	if d := g.Networks[f.VPC].Domain; d != "" {
		name += "." + d
	}
	return name
}

// publicName returns the name that the VPC's DNS gives a public address.
func publicName(g Guest, f wire.Interface) string {
	name := "ec2-" + strings.ReplaceAll(f.Public.String(), ".", "-")
	if d := g.Networks[f.VPC].Domain; d != "" {
		name += "." + d
	}
	return name
}

// document is the identity document, in EC2's form; there is no signature of it.
func (s *Service) document(g Guest, first wire.Interface) string {
	b, err := json.MarshalIndent(map[string]any{
		"accountId": g.Order.Account, "architecture": "x86_64", "availabilityZone": s.opt.Zone, "billingProducts": nil,
		"devpayProductCodes": nil, "marketplaceProductCodes": nil, "imageId": g.Order.Image.ID, "instanceId": g.ID,
		"instanceType": g.Order.Type, "kernelId": nil, "pendingTime": g.Order.Launched.UTC().Format(time.RFC3339),
		"privateIp": first.Address.String(), "ramdiskId": nil, "region": s.opt.Region, "version": "2017-09-30",
	}, "", "  ")
	if err != nil { // only strings and nils are in it
		return fmt.Sprintf("{%q: %q}", "error", err)
	}
	return string(b)
}
