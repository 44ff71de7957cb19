package ec2

import (
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/id"
)

func TestRulesOneByOne(t *testing.T) {
	w := newWorld(t)
	g := w.newGroup("web")
	body := w.ask("Action=AuthorizeSecurityGroupIngress&GroupId=%s"+sshFrom+"10.0.0.0/8&IpPermissions.1.IpRanges.2.CidrIp=10.0.0.0/9&TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v", g)
	rules := all(body, "securityGroupRuleId")
	if len(rules) != 2 {
		t.Fatal(body)
	}
	if got := all(w.ask("Action=DescribeSecurityGroupRules&Filter.1.Name=tag:k&Filter.1.Value.1=v"), "securityGroupRuleId"); len(got) != 2 {
		t.Errorf("by tag: %v", got)
	}
	if got := all(w.ask("Action=DescribeSecurityGroupRules&Filter.1.Name=group-id&Filter.1.Value.1=%s&MaxResults=1000", g), "isEgress"); len(got) != 3 {
		t.Errorf("of the group: %v", got)
	}
	const update = "&SecurityGroupRule.1.SecurityGroupRuleId=%s&SecurityGroupRule.1.SecurityGroupRule."
	w.refused("InvalidPermission.Duplicate", "Action=ModifySecurityGroupRules&GroupId=%s"+update+"IpProtocol=tcp&SecurityGroupRule.1.SecurityGroupRule.FromPort=22&SecurityGroupRule.1.SecurityGroupRule.ToPort=22&SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.0.0.0/9", g, rules[0])
	before := w.nudges
	w.ask("Action=ModifySecurityGroupRules&GroupId=%s"+update+"IpProtocol=-1&SecurityGroupRule.1.SecurityGroupRule.ReferencedGroupId=%s", g, rules[0], g)
	if w.nudges == before {
		t.Error("a changed rule does not go down at once")
	}
	w.shows(w.ask("Action=DescribeSecurityGroupRules&SecurityGroupRuleId.1=%s", rules[0]), "<ipProtocol>-1</ipProtocol>", "<referencedGroupInfo><groupId>"+g+"</groupId>", "<key>k</key>")
	w.ask("Action=UpdateSecurityGroupRuleDescriptionsIngress&GroupId=%s&SecurityGroupRuleDescription.1.SecurityGroupRuleId=%s&SecurityGroupRuleDescription.1.Description=mine", g, rules[0])
	w.ask("Action=UpdateSecurityGroupRuleDescriptionsIngress&GroupName=web" + sshFrom + "10.0.0.0/9&IpPermissions.1.IpRanges.1.Description=yours")
	w.ask("Action=UpdateSecurityGroupRuleDescriptionsEgress&GroupId=%s&IpPermissions.1.IpProtocol=-1&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0&IpPermissions.1.IpRanges.1.Description=out", g)
	w.shows(w.ask("Action=DescribeSecurityGroups&GroupId.1=%s", g), "<description>mine</description>", "<description>yours</description>", "<description>out</description>")
	for _, c := range []struct{ form, code string }{
		{"DescribeSecurityGroupRules&Filter.1.Name=group-id&Filter.1.Value.1=sg-0123456789abcdef0", "InvalidGroup.NotFound"},
		{"DescribeSecurityGroupRules&SecurityGroupRuleId.1=sgr-0123456789abcdef0", "InvalidSecurityGroupRuleId.NotFound"},
		{"DescribeSecurityGroupRules&SecurityGroupRuleId.1=x", "InvalidSecurityGroupRuleId.Malformed"},
		{"ModifySecurityGroupRules&GroupId=" + g, "MissingParameter"},
		{"ModifySecurityGroupRules&GroupId=" + g + "&SecurityGroupRule.1.SecurityGroupRuleId=" + rules[0], "MissingParameter"},
		{"ModifySecurityGroupRules&GroupId=" + g + "&SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp", "MissingParameter"},
		{"ModifySecurityGroupRules&GroupId=" + g + "&SecurityGroupRule.1.SecurityGroupRuleId=" + rules[0] + "&SecurityGroupRule.1.SecurityGroupRule.CidrIpv6=::/0", "UnsupportedOperation"},
		{"ModifySecurityGroupRules&GroupId=" + w.defaultGroup("ann") + "&SecurityGroupRule.1.SecurityGroupRuleId=" + rules[0] + "&SecurityGroupRule.1.SecurityGroupRule.IpProtocol=-1", "InvalidSecurityGroupRuleId.NotFound"},
		{"UpdateSecurityGroupRuleDescriptionsEgress&GroupId=" + g + "&SecurityGroupRuleDescription.1.SecurityGroupRuleId=" + rules[0], "InvalidSecurityGroupRuleId.NotFound"},
		{"UpdateSecurityGroupRuleDescriptionsIngress&GroupId=" + g, "MissingParameter"},
		{"UpdateSecurityGroupRuleDescriptionsIngress&GroupId=" + g + sshFrom + "10.0.0.0/16", "InvalidPermission.NotFound"},
		{"UpdateSecurityGroupRuleDescriptionsIngress&GroupId=" + g + sshFrom + "10.0.0.0/9&SecurityGroupRuleDescription.1.SecurityGroupRuleId=" + rules[0], "InvalidParameterCombination"},
	} {
		w.refused(c.code, "Action=%s", c.form)
	}
}

func TestTheRestOfADefaultVPC(t *testing.T) {
	w := newWorld(t)
	body := w.ask("Action=DescribeVpcs")
	vpc, dhcp := first(body, "vpcId"), first(body, "dhcpOptionsId")
	gateway := first(w.ask("Action=DescribeInternetGateways&Filter.1.Name=attachment.vpc-id&Filter.1.Value.1=%s", vpc), "internetGatewayId")
	w.shows(w.ask("Action=DescribeRouteTables&Filter.1.Name=association.main&Filter.1.Value.1=true"),
		"<destinationCidrBlock>172.31.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId>",
		"<destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><gatewayId>"+gateway+"</gatewayId>", "<main>true</main>", "<propagatingVgwSet/>")
	w.shows(w.ask("Action=DescribeNetworkAcls&Filter.1.Name=vpc-id&Filter.1.Value.1=%s", vpc), "<ruleNumber>32767</ruleNumber>", "<default>true</default>",
		"<subnetId>"+first(w.ask("Action=DescribeSubnets"), "subnetId")+"</subnetId>")
	w.shows(w.ask("Action=DescribeDhcpOptions&DhcpOptionsId.1=%s", dhcp), "<value>us-east-1.compute.internal</value>", "<value>AmazonProvidedDNS</value>")
	w.shows(w.ask("Action=DescribeVpcAttribute&VpcId=%s&Attribute=enableDnsHostnames", vpc), "<enableDnsHostnames><value>true</value></enableDnsHostnames>")
	w.shows(w.ask("Action=DescribeVpcAttribute&VpcId=%s&Attribute=enableNetworkAddressUsageMetrics", vpc), "<value>false</value>")
	for _, c := range []struct{ form, code string }{
		{"DescribeVpcAttribute&VpcId=" + vpc, "MissingParameter"},
		{"DescribeVpcAttribute&VpcId=" + vpc + "&Attribute=colour", "InvalidParameterValue"},
		{"DescribeVpcAttribute&VpcId=vpc-0123456789abcdef0&Attribute=enableDnsSupport", "InvalidVpcID.NotFound"},
		{"DescribeInternetGateways&InternetGatewayId.1=igw-0123456789abcdef0", "InvalidInternetGatewayID.NotFound"},
		{"DescribeInternetGateways&InternetGatewayId.1=x", "InvalidInternetGatewayId.Malformed"},
		{"DescribeRouteTables&RouteTableId.1=rtb-0123456789abcdef0", "InvalidRouteTableID.NotFound"},
		{"DescribeRouteTables&MaxResults=101", "InvalidParameterValue"},
		{"DescribeNetworkAcls&NetworkAclId.1=acl-0123456789abcdef0", "InvalidNetworkAclID.NotFound"},
		{"DescribeDhcpOptions&DhcpOptionsId.1=dopt-0123456789abcdef0", "InvalidDhcpOptionID.NotFound"},
	} {
		w.refused(c.code, "Action=%s", c.form)
		if strings.Contains(c.form, "0123456789abcdef0") {
			continue
		}
		w.refusedAs("bob", c.code, "Action=%s", strings.ReplaceAll(c.form, vpc, first(w.askAs("bob", "Action=DescribeVpcs"), "vpcId")))
	}
}

func TestAttributesOfAnInterface(t *testing.T) {
	w := newWorld(t)
	instance, eni := w.run("")
	g := w.newGroup("web")
	attachment := first(w.ask("Action=DescribeNetworkInterfaces"), "attachmentId")
	before := w.nudges
	const modify = "Action=ModifyNetworkInterfaceAttribute&NetworkInterfaceId=%s"
	w.ask(modify+"&SecurityGroupId.1=%s&SecurityGroupId.2=%s", eni, g, g)
	w.ask(modify+"&SourceDestCheck.Value=false", eni)
	w.ask(modify+"&Description.Value=router", eni)
	w.ask(modify+"&Attachment.AttachmentId=%s&Attachment.DeleteOnTermination=false", eni, attachment)
	if w.nudges != before+4 {
		t.Errorf("%d nudges for 4 changes", w.nudges-before)
	}
	w.shows(w.ask("Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=%s", eni), "<groupSet><item><groupId>"+g+"</groupId><groupName>web</groupName></item></groupSet>",
		"<sourceDestCheck>false</sourceDestCheck>", "<description>router</description>", "<deleteOnTermination>false</deleteOnTermination>")
	const describe = "Action=DescribeNetworkInterfaceAttribute&NetworkInterfaceId=%s"
	body := w.ask(describe+"&Attribute=sourceDestCheck", eni)
	if w.shows(body, "<sourceDestCheck><value>false</value></sourceDestCheck>"); strings.Contains(body, "groupSet") {
		t.Errorf("an attribute that was not asked for: %s", body)
	}
	w.shows(w.ask(describe+"&Attribute=groupSet", eni), "<groupName>web</groupName>")
	w.shows(w.ask(describe+"&Attribute=description", eni), "<value>router</value>")
	w.shows(w.ask(describe+"&Attribute=attachment", eni), "<instanceId>"+instance+"</instanceId>")
	for _, c := range []struct{ form, code string }{
		{modify, "InvalidParameterCombination"},
		{modify + "&SourceDestCheck.Value=true&Description.Value=x", "InvalidParameterCombination"},
		{modify + "&SourceDestCheck.Value=perhaps", "InvalidParameterValue"},
		{modify + "&SecurityGroupId.1=sg-0123456789abcdef0", "InvalidGroup.NotFound"},
		{modify + "&SecurityGroupId.1=" + w.defaultGroup("bob"), "InvalidGroup.NotFound"},
		{modify + "&Attachment.AttachmentId=eni-attach-0123456789abcdef0&Attachment.DeleteOnTermination=true", "InvalidAttachmentID.NotFound"},
		{modify + "&AssociatePublicIpAddress=true", "UnsupportedOperation"},
		{modify + "&Description.Value=" + strings.Repeat("x", 256), "InvalidParameterValue"},
		{describe, "InvalidParameterCombination"},
		{describe + "&Attribute=colour", "InvalidParameterValue"},
		{"Action=DeleteNetworkInterface&NetworkInterfaceId=%s", "InvalidParameterValue"},
	} {
		w.refused(c.code, c.form, eni)
	}
	w.refused("InvalidNetworkInterfaceID.NotFound", modify+"&Description.Value=x", "eni-0123456789abcdef0")
	w.refused("InvalidNetworkInterfaceId.Malformed", modify+"&Description.Value=x", "eni-x")
	w.refusedAs("bob", "InvalidNetworkInterfaceID.NotFound", modify+"&Description.Value=x", eni)
}

func TestASubnetLendsAddressesOrNot(t *testing.T) {
	w := newWorld(t)
	subnet := first(w.ask("Action=DescribeSubnets"), "subnetId")
	w.ask("Action=ModifySubnetAttribute&SubnetId=%s&MapPublicIpOnLaunch.Value=false", subnet)
	w.shows(w.ask("Action=DescribeSubnets"), "<mapPublicIpOnLaunch>false</mapPublicIpOnLaunch>")
	_, eni := w.run("")
	if body := w.ask("Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=%s", eni); strings.Contains(body, "publicIp") {
		t.Errorf("lent all the same: %s", body)
	}
	for more, code := range map[string]string{
		"": "InvalidParameterCombination", "&MapPublicIpOnLaunch.Value=2": "InvalidParameterValue",
		"&AssignIpv6AddressOnCreation.Value=true": "UnsupportedOperation", "&PrivateDnsHostnameTypeOnLaunch=resource-name": "UnsupportedOperation",
	} {
		w.refused(code, "Action=ModifySubnetAttribute&SubnetId=%s%s", subnet, more)
	}
	w.refusedAs("bob", "InvalidSubnetID.NotFound", "Action=ModifySubnetAttribute&SubnetId=%s&MapPublicIpOnLaunch.Value=false", subnet)
	w.ask("Action=ModifyNetworkInterfaceAttribute&NetworkInterfaceId=%s&SourceDestCheck.Value=false", eni)
	w.refused("InvalidParameterCombination", "Action=ResetNetworkInterfaceAttribute&NetworkInterfaceId=%s", eni)
	w.ask("Action=ResetNetworkInterfaceAttribute&NetworkInterfaceId=%s&SourceDestCheck=x", eni)
	w.shows(w.ask("Action=DescribeNetworkInterfaces"), "<sourceDestCheck>true</sourceDestCheck>")
}

func TestEveryPartOfAVPCCanBeTagged(t *testing.T) {
	w := newWorld(t)
	w.run("")
	a, _ := w.allocate()
	acl, dhcp := first(w.ask("Action=DescribeNetworkAcls"), "networkAclId"), first(w.ask("Action=DescribeVpcs"), "dhcpOptionsId")
	for describe, name := range map[string]string{
		"Vpcs": first(w.ask("Action=DescribeVpcs"), "vpcId"), "Subnets": first(w.ask("Action=DescribeSubnets"), "subnetId"),
		"InternetGateways": first(w.ask("Action=DescribeInternetGateways"), "internetGatewayId"), "RouteTables": first(w.ask("Action=DescribeRouteTables"), "routeTableId"),
		"NetworkAcls": acl, "DhcpOptions": dhcp, "NetworkInterfaces": first(w.ask("Action=DescribeNetworkInterfaces"), "networkInterfaceId"),
		"SecurityGroups": w.defaultGroup("ann"), "SecurityGroupRules": first(w.ask("Action=DescribeSecurityGroupRules"), "securityGroupRuleId"), "Addresses": a,
	} {
		w.ask("Action=CreateTags&ResourceId.1=%s&Tag.1.Key=mine&Tag.1.Value=%s", name, describe)
		w.shows(w.ask("Action=Describe%s&Filter.1.Name=tag:mine&Filter.1.Value.1=%s", describe, describe), ">"+name+"<", "<value>"+describe+"</value>")
	}
	w.refusedAs("bob", "InvalidNetworkAclID.NotFound", "Action=CreateTags&ResourceId.1=%s&Tag.1.Key=a", acl)
	w.refusedAs("bob", "InvalidDhcpOptionID.NotFound", "Action=DeleteTags&ResourceId.1=%s&Tag.1.Key=a", dhcp)
}

func TestWhatNoVPCHas(t *testing.T) {
	w := newWorld(t)
	vpc, subnet := first(w.ask("Action=DescribeVpcs"), "vpcId"), first(w.ask("Action=DescribeSubnets"), "subnetId")
	w.shows(w.ask("Action=DescribeSecurityGroupReferences&GroupId.1=%s", w.defaultGroup("ann")), "<securityGroupReferenceSet/>")
	w.shows(w.ask("Action=DescribeStaleSecurityGroups&VpcId=%s", vpc), "<staleSecurityGroupSet/>")
	w.shows(w.ask("Action=DescribeVpcClassicLink&VpcId.1=%s", vpc), "<classicLinkEnabled>false</classicLinkEnabled>")
	w.shows(w.ask("Action=DescribeVpcClassicLinkDnsSupport"), "<vpcId>"+vpc+"</vpcId>")
	w.shows(w.ask("Action=GetSubnetCidrReservations&SubnetId=%s", subnet), "<subnetIpv4CidrReservationSet/>")
	for _, c := range []struct{ form, code string }{
		{"DescribeSecurityGroupReferences", "MissingParameter"},
		{"DescribeSecurityGroupReferences&GroupId.1=" + w.defaultGroup("bob"), "InvalidGroup.NotFound"},
		{"DescribeStaleSecurityGroups&VpcId=vpc-0123456789abcdef0", "InvalidVpcID.NotFound"},
		{"DescribeVpcClassicLink&VpcId.1=vpc-0123456789abcdef0", "InvalidVpcID.NotFound"},
		{"GetSubnetCidrReservations&SubnetId=x", "InvalidSubnetID.Malformed"},
	} {
		w.refused(c.code, "Action=%s", c.form)
	}
}

func TestGroupsComeInPages(t *testing.T) {
	w := newWorld(t)
	for n := range 7 {
		w.newGroup("g" + isInt(n)[0])
	}
	seen := map[string]bool{}
	next, pages := "", 0
	for {
		body := w.ask("Action=DescribeSecurityGroups&MaxResults=5%s", next)
		pages++
		for _, name := range all(body, "groupName") {
			if seen[name] {
				t.Errorf("%s comes twice", name)
			}
			seen[name] = true
		}
		token := first(body, "nextToken")
		if token == "" {
			break
		}
		next = "&NextToken=" + token
	}
	if len(seen) != 8 || pages != 2 {
		t.Errorf("%d groups in %d pages", len(seen), pages)
	}
}

func TestAnInterfaceThatOutlivedItsInstance(t *testing.T) {
	w := newWorld(t)
	_, eni := w.run("")
	a, address := w.allocate()
	w.ask("Action=AssociateAddress&AllocationId=%s&NetworkInterfaceId=%s", a, eni)
	w.tx(func(tx *store.Tx) error { // as the keeper leaves it
		e, err := tx.Interface(store.AnyAccount, id.Interface(eni))
		if err != nil {
			return err
		}
		e.Instance, e.Attachment, e.Attached = "", "", time.Time{}
		return tx.Put(e)
	})
	body := w.ask("Action=DescribeNetworkInterfaces&Filter.1.Name=status&Filter.1.Value.1=available")
	if w.shows(body, "<publicIp>"+address+"</publicIp>"); strings.Contains(body, "attachmentId") {
		t.Errorf("a free interface is attached: %s", body)
	}
	w.ask("Action=DeleteNetworkInterface&NetworkInterfaceId=%s", eni)
	w.refused("InvalidNetworkInterfaceID.NotFound", "Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=%s", eni)
	w.ask("Action=ReleaseAddress&AllocationId=%s", a)
}
