package ec2

import (
	"karri/cloudctl/store"
	"karri/shared/id"
)

// IpPermission is one kind of traffic with the peers that it is allowed for.
type IpPermission struct {
	FromPort         *int // or ICMP type
	IpProtocol       *string
	IpRanges         []IpRange
	Ipv6Ranges       []Ipv6Range    // no rule has any: networks have no IPv6
	PrefixListIds    []PrefixListId // no rule has any
	ToPort           *int           // or ICMP code
	UserIdGroupPairs []UserIdGroupPair
}

// IpRange is a peer by address.
type IpRange struct {
	CidrIp      *string
	Description *string
}

// Ipv6Range is a peer by IPv6 address.
type Ipv6Range struct {
	CidrIpv6    *string
	Description *string
}

// PrefixListId is a peer by a managed list.
type PrefixListId struct {
	Description  *string
	PrefixListId *string
}

// UserIdGroupPair is a peer by the security group that it is in.
type UserIdGroupPair struct {
	Description *string
	GroupId     *string
	GroupName   *string
	UserId      *string
	VpcId       *string
}

// SecurityGroup is a security group with its rules.
type SecurityGroup struct {
	Description         string
	GroupId             string
	GroupName           string
	IpPermissions       []IpPermission
	IpPermissionsEgress []IpPermission
	OwnerId             string
	Tags                []Tag
	VpcId               string
}

// SecurityGroupRule is one rule of a security group.
type SecurityGroupRule struct {
	CidrIpv4            *string
	Description         *string
	FromPort            int
	GroupId             string
	GroupOwnerId        string
	IpProtocol          string
	IsEgress            bool
	ReferencedGroupInfo *ReferencedSecurityGroup
	SecurityGroupRuleId string
	Tags                []Tag
	ToPort              int
}

// ReferencedSecurityGroup is a peer by the group that it is in.
type ReferencedSecurityGroup struct {
	GroupId string
	UserId  string
	VpcId   string
}

// groupShape is the answer about one group; rules are the group's own.
func groupShape(g *store.Group, rules []store.Rule, tags store.Tags) SecurityGroup {
	return SecurityGroup{
		Description: g.Description, GroupId: string(g.ID), GroupName: g.Name, OwnerId: g.Account, VpcId: string(g.VPC),
		IpPermissions: permissionSet(rules, false), IpPermissionsEgress: permissionSet(rules, true),
		Tags: tagSet(tags[string(g.ID)]),
	}
}

// permissionSet puts the rules of one direction together by the traffic that
// they allow.
func permissionSet(rules []store.Rule, egress bool) []IpPermission {
	type traffic struct {
		protocol string
		from, to int
	}
	set := []IpPermission{}
	at := map[traffic]int{}
	for _, r := range rules {
		if r.Egress != egress {
			continue
		}
		k := traffic{r.Protocol, r.From, r.To}
		n, ok := at[k]
		if !ok {
			n = len(set)
			at[k] = n
			set = append(set, emptyPermission(&r))
		}
		if r.Peer == "" {
			set[n].IpRanges = append(set[n].IpRanges, IpRange{CidrIp: ptr(r.CIDR), Description: opt(r.Description)})
		} else {
			set[n].UserIdGroupPairs = append(set[n].UserIdGroupPairs,
				UserIdGroupPair{Description: opt(r.Description), GroupId: ptr(string(r.Peer)), UserId: ptr(r.Account)})
		}
	}
	return set
}

func emptyPermission(r *store.Rule) IpPermission {
	p := IpPermission{
		IpProtocol: ptr(r.Protocol), IpRanges: []IpRange{}, Ipv6Ranges: []Ipv6Range{},
		PrefixListIds: []PrefixListId{}, UserIdGroupPairs: []UserIdGroupPair{},
	}
	switch r.Protocol {
	case "tcp", "udp", "icmp":
		p.FromPort, p.ToPort = ptr(r.From), ptr(r.To)
	}
	return p
}

// ruleShape is the answer about one rule of a group in vpc, where its peer is, too.
func ruleShape(r *store.Rule, vpc id.VPC, tags []store.Tag) SecurityGroupRule {
	out := SecurityGroupRule{
		CidrIpv4: opt(r.CIDR), Description: opt(r.Description), FromPort: r.From, GroupId: string(r.Group), GroupOwnerId: r.Account,
		IpProtocol: r.Protocol, IsEgress: r.Egress, SecurityGroupRuleId: string(r.ID), Tags: tagSet(tags), ToPort: r.To,
	}
	if r.Peer != "" {
		out.ReferencedGroupInfo = &ReferencedSecurityGroup{GroupId: string(r.Peer), UserId: r.Account, VpcId: string(vpc)}
	}
	return out
}
