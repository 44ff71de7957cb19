package ec2

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
)

// maxRules is how many rules a security group may have in each direction.
const maxRules = 60

// flat are the parameters of the time when a request named one rule; they mean
// the same as one permission.
type flat struct {
	CidrIp                     *string
	FromPort, ToPort           *int
	IpProtocol                 *string
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
}

// permissions returns what the request asks for in the present form. Only a
// group by name stands for all traffic.
func (f flat) permissions(listed []IpPermission) ([]IpPermission, error) {
	if f == (flat{}) {
		return listed, nil
	}
	if len(listed) > 0 {
		return nil, combination("The parameter ipPermissions may not be used with the parameters of a single rule.")
	}
	if val(f.SourceSecurityGroupName) == "" {
		p := IpPermission{FromPort: f.FromPort, ToPort: f.ToPort, IpProtocol: f.IpProtocol}
		if f.SourceSecurityGroupOwnerId != nil {
			return nil, lacking("SourceSecurityGroupName")
		}
		if f.CidrIp != nil {
			p.IpRanges = []IpRange{{CidrIp: f.CidrIp}}
		}
		return []IpPermission{p}, nil
	}
	if f.CidrIp != nil || f.IpProtocol != nil || f.FromPort != nil || f.ToPort != nil {
		return nil, combination("The parameter sourceSecurityGroupName stands for all traffic and may not be used with a protocol, ports or a range.")
	}
	source := []UserIdGroupPair{{GroupName: f.SourceSecurityGroupName, UserId: f.SourceSecurityGroupOwnerId}}
	return []IpPermission{
		{IpProtocol: ptr("tcp"), FromPort: ptr(0), ToPort: ptr(65535), UserIdGroupPairs: source},
		{IpProtocol: ptr("udp"), FromPort: ptr(0), ToPort: ptr(65535), UserIdGroupPairs: source},
		{IpProtocol: ptr("icmp"), FromPort: ptr(-1), ToPort: ptr(-1), UserIdGroupPairs: source},
	}, nil
}

// rulesOf returns the rules that permissions stand for, in one direction of a
// group, checked and in the one form that the store has them in. They have no
// id yet.
func rulesOf(tx *store.Tx, g *store.Group, egress bool, permissions []IpPermission) ([]store.Rule, error) {
	if len(permissions) == 0 {
		return nil, lacking("ipPermissions")
	}
	var all []store.Rule
	seen := map[string]bool{}
	for _, p := range permissions {
		rules, err := rulesOfOne(tx, g, p)
		if err != nil {
			return nil, err
		}
		for _, r := range rules {
			r.Account, r.Group, r.Egress = g.Account, g.ID, egress
			if seen[sameRule(&r)] {
				return nil, invalid("The same permission must not appear multiple times")
			}
			seen[sameRule(&r)] = true
			all = append(all, r)
		}
	}
	return all, nil
}

func rulesOfOne(tx *store.Tx, g *store.Group, p IpPermission) ([]store.Rule, error) {
	if len(p.Ipv6Ranges) > 0 {
		return nil, unsupported("Networks have no IPv6; the parameter ipv6Ranges is not supported.")
	}
	if len(p.PrefixListIds) > 0 {
		return nil, unsupported("The parameter prefixListIds is not supported.")
	}
	if len(p.IpRanges)+len(p.UserIdGroupPairs) == 0 {
		return nil, fault.New(fault.Invalid, "MissingParameter", "The request must contain the parameter ipRanges or groups: a permission names its peers.")
	}
	traffic, err := trafficOf(p.IpProtocol, p.FromPort, p.ToPort)
	if err != nil {
		return nil, err
	}
	var all []store.Rule
	for _, r := range p.IpRanges {
		rule := traffic
		if rule.CIDR, err = rangeOf(val(r.CidrIp)); err != nil {
			return nil, err
		}
		if rule.Description, err = describe(r.Description); err != nil {
			return nil, err
		}
		all = append(all, rule)
	}
	for _, u := range p.UserIdGroupPairs {
		rule := traffic
		if rule.Peer, err = peerOf(tx, g, u); err != nil {
			return nil, err
		}
		if rule.Description, err = describe(u.Description); err != nil {
			return nil, err
		}
		all = append(all, rule)
	}
	return all, nil
}

// sameRule is a text that is equal for rules which allow the same.
func sameRule(r *store.Rule) string {
	return fmt.Sprint(r.Egress, r.Protocol, " ", r.From, " ", r.To, " ", r.CIDR, " ", r.Peer)
}

var protocolNames = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}

// trafficOf returns a rule with only its protocol and ports.
func trafficOf(protocol *string, from, to *int) (r store.Rule, err error) {
	name := strings.ToLower(val(protocol))
	if name == "" {
		return r, lacking("ipProtocol")
	}
	if known := protocolNames[name]; known != "" {
		name = known
	}
	r = store.Rule{Protocol: name, From: -1, To: -1}
	switch name {
	case "-1":
		return r, nil
	case "tcp", "udp":
		r.From, r.To, err = portsOf(from, to)
		return r, err
	case "icmp":
		r.From, r.To, err = icmpOf(from, to)
		return r, err
	case "icmpv6":
		return r, unsupported("Networks have no IPv6; the protocol icmpv6 is not supported.")
	}
	n, err := strconv.ParseUint(name, 10, 8)
	if err != nil || strconv.FormatUint(n, 10) != name {
		return r, invalid("Invalid value '%s' for IP protocol. Unknown protocol.", val(protocol))
	}
	return r, nil
}

// portsOf checks the ports of a tcp or udp rule; -1 twice stands for all.
func portsOf(from, to *int) (int, int, error) {
	if from == nil || to == nil {
		return 0, 0, invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
	}
	if *from == -1 && *to == -1 {
		return 0, 65535, nil
	}
	for _, p := range []int{*from, *to} {
		if p < 0 || p > 65535 {
			return 0, 0, invalid("Invalid value '%d' for portRange. A port is between 0 and 65535.", p)
		}
	}
	if *from > *to {
		return 0, 0, malformedRule("Invalid TCP/UDP port range (%d:%d)", *from, *to)
	}
	return *from, *to, nil
}

// icmpOf checks the type and code of an icmp rule; absent or -1 is any.
func icmpOf(kind, code *int) (int, int, error) {
	k, c := -1, -1
	if kind != nil {
		k = *kind
	}
	if code != nil {
		c = *code
	}
	if k < -1 || k > 255 || c < -1 || c > 255 {
		return 0, 0, invalid("Invalid ICMP type and code (%d:%d). Each is between 0 and 255, or -1 for any.", k, c)
	}
	if k == -1 && c != -1 {
		return 0, 0, malformedRule("An ICMP code (%d) needs a type.", c)
	}
	return k, c, nil
}

// rangeOf returns a range with the bits of its hosts cleared, as EC2 keeps it.
func rangeOf(s string) (string, error) {
	if s == "" {
		return "", lacking("cidrIp")
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return "", malformedRule("CIDR block %s is malformed", s)
	}
	if !p.Addr().Is4() {
		return "", unsupported("Networks have no IPv6; the range %s is not supported.", s)
	}
	return p.Masked().String(), nil
}

func malformedRule(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidPermission.Malformed", format, args...)
}

// maxRuleText is the length of the description of a rule, in EC2 as here.
const maxRuleText = 255

const ruleText = ` ._-:/()#,@[]+=&;{}!$*`

func describe(text *string) (string, error) {
	s := val(text)
	if utf8.RuneCountInString(s) > maxRuleText || !plain(s, ruleText) {
		return "", invalid("Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. %s", ruleText[1:])
	}
	return s, nil
}

// plain reports whether s has only letters and digits of ASCII and of more.
func plain(s, more string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(more, r)
	})
}

// peerOf resolves a group that a rule names: by id, or by name in the VPC of
// the rule's own group. Groups of other accounts are not known here.
func peerOf(tx *store.Tx, g *store.Group, u UserIdGroupPair) (id.Group, error) {
	if (val(u.GroupId) == "") == (val(u.GroupName) == "") {
		return "", combination("A group is named by its id or by its name.")
	}
	owner := orElse(u.UserId, g.Account)
	if owner != g.Account {
		return "", fault.New(fault.Missing, "InvalidGroup.NotFound", "The security group '%s' does not exist", val(u.GroupId)+val(u.GroupName))
	}
	var peer *store.Group
	var err error
	if val(u.GroupName) != "" {
		peer, err = tx.GroupNamed(g.Account, g.VPC, *u.GroupName)
	} else {
		var name id.Group
		if name, err = parse[id.Group](*u.GroupId); err == nil {
			peer, err = tx.Group(g.Account, name)
		}
	}
	if err != nil {
		return "", err
	}
	if peer.VPC != g.VPC || u.VpcId != nil && *u.VpcId != "" && *u.VpcId != string(g.VPC) {
		return "", fault.New(fault.Missing, "InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
	}
	return peer.ID, nil
}
