package ec2

import (
	"strings"
	"testing"
)

func (w *world) defaultGroup(who string) string {
	w.Helper()
	return first(w.askAs(who, "Action=DescribeSecurityGroups&GroupName.1=default"), "groupId")
}

func (w *world) newGroup(name string) string {
	w.Helper()
	return first(w.ask("Action=CreateSecurityGroup&GroupName=%s&GroupDescription=x", name), "groupId")
}

const sshFrom = "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp="

func TestTheDefaultGroup(t *testing.T) {
	w := newWorld(t)
	g := w.defaultGroup("ann")
	body := w.ask("Action=DescribeSecurityGroups")
	w.shows(body, "<ipPermissions><item><ipProtocol>-1</ipProtocol><ipRanges/><ipv6Ranges/><prefixListIds/><groups><item><groupId>"+g+"</groupId><userId>"+w.accounts["ann"]+"</userId></item></groups></item></ipPermissions>",
		"<cidrIp>0.0.0.0/0</cidrIp>", "<groupName>default</groupName>", "<tagSet/>")
	if strings.Contains(body, w.defaultGroup("bob")) {
		t.Error("ann sees bob's group")
	}
}

func TestARuleComesAndGoes(t *testing.T) {
	w := newWorld(t)
	g := w.newGroup("web")
	before := w.nudges
	body := w.ask("Action=AuthorizeSecurityGroupIngress&GroupId=%s"+sshFrom+"10.1.2.3/8&IpPermissions.1.IpRanges.1.Description=office", g)
	rule := first(body, "securityGroupRuleId")
	w.shows(body, "<return>true</return>", "<cidrIpv4>10.0.0.0/8</cidrIpv4>", "<isEgress>false</isEgress>", "<description>office</description>")
	w.refused("InvalidPermission.Duplicate", "Action=AuthorizeSecurityGroupIngress&GroupId=%s"+sshFrom+"10.0.0.0/8", g)
	w.refused("InvalidPermission.NotFound", "Action=RevokeSecurityGroupEgress&GroupId=%s"+sshFrom+"10.0.0.0/8", g)
	w.refused("InvalidSecurityGroupRuleId.NotFound", "Action=RevokeSecurityGroupEgress&GroupId=%s&SecurityGroupRuleId.1=%s", g, rule)
	w.refused("InvalidSecurityGroupRuleId.NotFound", "Action=RevokeSecurityGroupIngress&GroupId=%s&SecurityGroupRuleId.1=%s", w.defaultGroup("ann"), rule)
	for filter, n := range map[string]int{"ip-permission.from-port": 1, "egress.ip-permission.from-port": 0} {
		if got := len(all(w.ask("Action=DescribeSecurityGroups&Filter.1.Name=%s&Filter.1.Value.1=22", filter), "groupName")); got != n {
			t.Errorf("%s finds %d groups, not %d", filter, got, n)
		}
	}
	w.ask("Action=RevokeSecurityGroupIngress&GroupName=web"+sshFrom+"%s", "10.0.0.0/8")
	w.refused("InvalidPermission.NotFound", "Action=RevokeSecurityGroupIngress&GroupId=%s"+sshFrom+"10.0.0.0/8", g)
	body = w.ask("Action=AuthorizeSecurityGroupEgress&GroupId=%s&IpPermissions.1.IpProtocol=UDP&IpPermissions.1.FromPort=-1&IpPermissions.1.ToPort=-1&IpPermissions.1.Groups.1.GroupName=default", g)
	w.shows(body, "<toPort>65535</toPort>", "<isEgress>true</isEgress>", "<referencedGroupInfo><groupId>"+w.defaultGroup("ann"))
	w.refused("InvalidPermission.NotFound", "Action=RevokeSecurityGroupEgress&GroupId=%s&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0", g)
	w.ask("Action=RevokeSecurityGroupEgress&GroupId=%s&SecurityGroupRuleId.1=%s", g, first(body, "securityGroupRuleId"))
	if w.nudges != before+4 {
		t.Errorf("%d nudges for 4 changes", w.nudges-before)
	}
}

func TestOneRuleInTheOldForm(t *testing.T) {
	w := newWorld(t)
	g := w.newGroup("web")
	w.shows(w.ask("Action=AuthorizeSecurityGroupIngress&GroupName=web&IpProtocol=tcp&FromPort=80&ToPort=81&CidrIp=0.0.0.0/0"), "<toPort>81</toPort>")
	body := w.ask("Action=AuthorizeSecurityGroupIngress&GroupName=web&SourceSecurityGroupName=default&SourceSecurityGroupOwnerId=%s", w.accounts["ann"])
	if got := strings.Join(all(body, "ipProtocol"), " "); got != "tcp udp icmp" {
		t.Errorf("a group as source stands for %s", got)
	}
	w.ask("Action=RevokeSecurityGroupIngress&GroupId=%s&SourceSecurityGroupName=default", g)
	w.ask("Action=RevokeSecurityGroupIngress&GroupId=%s&IpProtocol=6&FromPort=80&ToPort=81&CidrIp=0.0.0.0/0", g)
	w.shows(w.ask("Action=DescribeSecurityGroups&GroupId.1=%s", g), "<ipPermissions/>")
	for code, more := range map[string]string{
		"InvalidParameterCombination": "&SourceSecurityGroupName=default&IpProtocol=tcp",
		"MissingParameter":            "&IpProtocol=tcp&FromPort=1&ToPort=1",
		"InvalidGroup.NotFound":       "&SourceSecurityGroupName=default&SourceSecurityGroupOwnerId=" + w.accounts["bob"],
	} {
		w.refused(code, "Action=AuthorizeSecurityGroupIngress&GroupId=%s%s", g, more)
	}
}

func TestBadPermissions(t *testing.T) {
	w := newWorld(t)
	g := w.newGroup("web")
	p := func(protocol, from, to, more string) string {
		s := "&IpPermissions.1.IpProtocol=" + protocol
		if from != "" {
			s += "&IpPermissions.1.FromPort=" + from
		}
		if to != "" {
			s += "&IpPermissions.1.ToPort=" + to
		}
		return s + strings.ReplaceAll(more, "&", "&IpPermissions.1.")
	}
	const anyone = "&IpRanges.1.CidrIp=0.0.0.0/0"
	for _, c := range []struct{ more, code string }{
		{"", "MissingParameter"},
		{p("", "", "", anyone), "MissingParameter"},
		{p("-1", "", "", ""), "MissingParameter"},
		{p("tcp", "1", "1", "&IpRanges.1.CidrIp="), "MissingParameter"},
		{p("tcp", "", "", anyone), "InvalidParameterValue"},
		{p("tcp", "1", "", anyone), "InvalidParameterValue"},
		{p("tcp", "80", "443x", anyone), "InvalidParameterValue"},
		{p("tcp", "-2", "80", anyone), "InvalidParameterValue"},
		{p("tcp", "-1", "80", anyone), "InvalidParameterValue"},
		{p("tcp", "80", "65536", anyone), "InvalidParameterValue"},
		{p("udp", "443", "80", anyone), "InvalidPermission.Malformed"},
		{p("icmp", "256", "0", anyone), "InvalidParameterValue"},
		{p("icmp", "-1", "4", anyone), "InvalidPermission.Malformed"},
		{p("ipx", "1", "1", anyone), "InvalidParameterValue"},
		{p("256", "", "", anyone), "InvalidParameterValue"},
		{p("06", "1", "1", anyone), "InvalidParameterValue"},
		{p("icmpv6", "", "", anyone), "UnsupportedOperation"},
		{p("58", "", "", anyone), "UnsupportedOperation"},
		{p("-1", "", "", "&IpRanges.1.CidrIp=10.0.0.0/33"), "InvalidPermission.Malformed"},
		{p("-1", "", "", "&IpRanges.1.CidrIp=10.0.0.0"), "InvalidPermission.Malformed"},
		{p("-1", "", "", "&IpRanges.1.CidrIp=::/0"), "UnsupportedOperation"},
		{p("-1", "", "", "&Ipv6Ranges.1.CidrIpv6=::/0"), "UnsupportedOperation"},
		{p("-1", "", "", "&PrefixListIds.1.PrefixListId=pl-1"), "UnsupportedOperation"},
		{p("-1", "", "", anyone+"&IpRanges.1.Description=caf%C3%A9"), "InvalidParameterValue"},
		{p("-1", "", "", anyone+"&IpRanges.2.CidrIp=1.2.3.4/0"), "InvalidParameterValue"},
		{p("-1", "", "", "&Groups.1.GroupId=sg-1"), "InvalidGroupId.Malformed"},
		{p("-1", "", "", "&Groups.1.GroupId=sg-0123456789abcdef0"), "InvalidGroup.NotFound"},
		{p("-1", "", "", "&Groups.1.GroupId="+w.defaultGroup("bob")), "InvalidGroup.NotFound"},
		{p("-1", "", "", "&Groups.1.GroupName=none"), "InvalidGroup.NotFound"},
		{p("-1", "", "", "&Groups.1.UserId="+w.accounts["ann"]), "InvalidParameterCombination"},
		{p("-1", "", "", "&Groups.1.GroupName=default&Groups.1.VpcId=vpc-0123456789abcdef0"), "InvalidGroup.NotFound"},
		{p("-1", "", "", "&Groups.1.GroupName=default&Groups.1.PeeringStatus=active"), "UnsupportedOperation"},
		{p("-1", "", "", anyone) + "&CidrIp=0.0.0.0/0", "InvalidParameterCombination"},
		{p("-1", "", "", anyone) + "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a", "InvalidParameterValue"},
	} {
		w.refused(c.code, "Action=AuthorizeSecurityGroupIngress&GroupId=%s%s", g, c.more)
	}
	w.shows(w.ask("Action=DescribeSecurityGroups&GroupId.1=%s", g), "<ipPermissions/>")
}

func TestBadGroups(t *testing.T) {
	w := newWorld(t)
	mine, his := w.newGroup("web"), w.defaultGroup("bob")
	vpc := first(w.ask("Action=DescribeVpcs"), "vpcId")
	for _, c := range []struct{ form, code string }{
		{"CreateSecurityGroup&GroupName=web&GroupDescription=x", "InvalidGroup.Duplicate"},
		{"CreateSecurityGroup&GroupName=default&GroupDescription=x", "InvalidGroup.Reserved"},
		{"CreateSecurityGroup&GroupName=sg-web&GroupDescription=x", "InvalidParameterValue"},
		{"CreateSecurityGroup&GroupName=caf%C3%A9&GroupDescription=x", "InvalidParameterValue"},
		{"CreateSecurityGroup&GroupName=a&GroupDescription=%0A", "InvalidParameterValue"},
		{"CreateSecurityGroup&GroupName=" + strings.Repeat("a", 256) + "&GroupDescription=x", "InvalidParameterValue"},
		{"CreateSecurityGroup&GroupName=a", "MissingParameter"},
		{"CreateSecurityGroup&GroupDescription=a", "MissingParameter"},
		{"CreateSecurityGroup&GroupName=a&GroupDescription=x&VpcId=vpc-x", "InvalidVpcID.Malformed"},
		{"CreateSecurityGroup&GroupName=a&GroupDescription=x&VpcId=vpc-0123456789abcdef0", "InvalidVpcID.NotFound"},
		{"CreateSecurityGroup&DryRun=true&GroupName=a&GroupDescription=x&VpcId=" + vpc, "DryRunOperation"},
		{"DeleteSecurityGroup", "MissingParameter"},
		{"DeleteSecurityGroup&GroupName=default", "CannotDelete"},
		{"DeleteSecurityGroup&GroupName=none", "InvalidGroup.NotFound"},
		{"DeleteSecurityGroup&GroupId=" + his, "InvalidGroup.NotFound"},
		{"DeleteSecurityGroup&GroupName=web&GroupId=" + mine, "InvalidParameterCombination"},
		{"DescribeSecurityGroups&GroupName.1=none", "InvalidGroup.NotFound"},
		{"DescribeSecurityGroups&GroupId.1=x", "InvalidGroupId.Malformed"},
		{"DescribeSecurityGroups&GroupId.1=" + his, "InvalidGroup.NotFound"},
		{"DescribeSecurityGroups&Filter.1.Name=ip-permission.colour&Filter.1.Value.1=x", "InvalidParameterValue"},
		{"DescribeSecurityGroups&MaxResults=4", "InvalidParameterValue"},
		{"AuthorizeSecurityGroupEgress" + sshFrom + "0.0.0.0/0", "MissingParameter"},
		{"RevokeSecurityGroupIngress&GroupId=" + mine + "&SecurityGroupRuleId.1=sgr-x", "InvalidSecurityGroupRuleId.Malformed"},
		{"RevokeSecurityGroupIngress&GroupId=" + mine + "&SecurityGroupRuleId.1=sgr-0123456789abcdef0" + sshFrom + "0.0.0.0/0", "InvalidParameterCombination"},
	} {
		w.refused(c.code, "Action=%s", c.form)
	}
}

func TestAGroupInUseStays(t *testing.T) {
	w := newWorld(t)
	used, peer, free := w.newGroup("used"), w.newGroup("peer"), w.newGroup("free")
	w.run("&SecurityGroupId.1=" + used)
	w.ask("Action=AuthorizeSecurityGroupIngress&GroupId=%s&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId=%s", used, peer)
	w.ask("Action=AuthorizeSecurityGroupIngress&GroupId=%s&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId=%s", free, free)
	w.refused("DependencyViolation", "Action=DeleteSecurityGroup&GroupId=%s", used)
	w.refused("DependencyViolation", "Action=DeleteSecurityGroup&GroupId=%s", peer)
	w.ask("Action=DeleteSecurityGroup&GroupId=%s", free)
	w.refused("InvalidGroup.NotFound", "Action=DescribeSecurityGroups&GroupId.1=%s", free)
}

func TestRulesAreLimited(t *testing.T) {
	w := newWorld(t)
	g := w.newGroup("web")
	form := "&IpPermissions.1.IpProtocol=-1"
	for n := range maxRules {
		form += "&IpPermissions.1.IpRanges." + isInt(n + 1)[0] + ".CidrIp=10.0." + isInt(n)[0] + ".0/24"
	}
	w.refused("RulesPerSecurityGroupLimitExceeded", "Action=AuthorizeSecurityGroupIngress&GroupId=%s%s&IpPermissions.1.Groups.1.GroupId=%s", g, form, g)
	w.shows(w.ask("Action=DescribeSecurityGroups&GroupId.1=%s", g), "<ipPermissions/>")
	w.ask("Action=AuthorizeSecurityGroupIngress&GroupId=%s%s", g, form)
}

func TestTheNetworkAsItsOwnerSeesIt(t *testing.T) {
	w := newWorld(t)
	vpc := first(w.ask("Action=DescribeVpcs&Filter.1.Name=isDefault&Filter.1.Value.1=true"), "vpcId")
	instance, eni := w.run("")
	body := w.ask("Action=DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.1=%s", vpc)
	w.shows(body, "<availableIpAddressCount>4090</availableIpAddressCount>", "<cidrBlock>172.31.0.0/20</cidrBlock>", "<defaultForAz>true</defaultForAz>", "<availabilityZone>us-east-1a</availabilityZone>")
	body = w.ask("Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=%s", eni)
	w.shows(body, "<instanceId>"+instance+"</instanceId>", "<status>in-use</status>", "<publicIp>192.0.2.8</publicIp>", "<ipOwnerId>amazon</ipOwnerId>", "<vpcId>"+vpc+"</vpcId>")
	for _, filter := range []string{"attachment.instance-id&Filter.1.Value.1=" + instance, "association.public-ip&Filter.1.Value.1=192.0.2.*", "group-name&Filter.1.Value.1=default"} {
		if got := len(all(w.ask("Action=DescribeNetworkInterfaces&Filter.1.Name=%s", filter), "macAddress")); got != 2-1 {
			t.Errorf("%s finds %d interfaces", filter, got)
		}
	}
	for _, c := range []struct{ form, code string }{
		{"DescribeVpcs&VpcId.1=x", "InvalidVpcID.Malformed"},
		{"DescribeVpcs&VpcId.1=vpc-0123456789abcdef0", "InvalidVpcID.NotFound"},
		{"DescribeSubnets&SubnetId.1=x", "InvalidSubnetID.Malformed"},
		{"DescribeSubnets&SubnetId.1=subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"},
		{"DescribeNetworkInterfaces&NetworkInterfaceId.1=x", "InvalidNetworkInterfaceId.Malformed"},
		{"DescribeNetworkInterfaces&NetworkInterfaceId.1=eni-0123456789abcdef0", "InvalidNetworkInterfaceID.NotFound"},
		{"DescribeNetworkInterfaces&MaxResults=5&NetworkInterfaceId.1=" + eni, "InvalidParameterCombination"},
		{"DescribeVpcs&Filter.1.Name=vpc&Filter.1.Value.1=x", "InvalidParameterValue"},
	} {
		w.refused(c.code, "Action=%s", c.form)
	}
	w.refusedAs("bob", "InvalidVpcID.NotFound", "Action=DescribeVpcs&VpcId.1=%s", vpc)
	w.refusedAs("bob", "InvalidNetworkInterfaceID.NotFound", "Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=%s", eni)
}
