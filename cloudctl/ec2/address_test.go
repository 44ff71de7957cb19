package ec2

import (
	"strings"
	"testing"

	"karri/cloudctl/quota"
)

func (w *world) allocate() (allocation, address string) {
	w.Helper()
	body := w.ask("Action=AllocateAddress&Domain=vpc&TagSpecification.1.ResourceType=elastic-ip&TagSpecification.1.Tag.1.Key=of&TagSpecification.1.Tag.1.Value=test")
	return first(body, "allocationId"), first(body, "publicIp")
}

func TestAnAddressGoesFromInstanceToInstance(t *testing.T) {
	w := newWorld(t)
	one, eniOne := w.run("")
	two, eniTwo := w.run("")
	a, address := w.allocate()
	if address != "192.0.2.10" {
		t.Errorf("allocated %s; .8 and .9 are lent", address)
	}
	before := first(w.ask("Action=AssociateAddress&AllocationId=%s&InstanceId=%s", a, one), "associationId")
	if again := first(w.ask("Action=AssociateAddress&AllocationId=%s&NetworkInterfaceId=%s&AllowReassociation=false", a, eniOne), "associationId"); again != before {
		t.Errorf("asked again: %s, not %s", again, before)
	}
	body := w.ask("Action=DescribeInstances&InstanceId.1=%s", one)
	w.shows(body, "<publicIp>"+address+"</publicIp>", "<ipOwnerId>"+w.accounts["ann"]+"</ipOwnerId>")
	if strings.Contains(body, "192.0.2.8") {
		t.Error("the lent address is still there")
	}
	w.refused("InvalidIPAddress.InUse", "Action=ReleaseAddress&AllocationId=%s", a)
	w.refused("Resource.AlreadyAssociated", "Action=AssociateAddress&PublicIp=%s&InstanceId=%s&AllowReassociation=false", address, two)
	second := first(w.ask("Action=AssociateAddress&PublicIp=%s&InstanceId=%s&PrivateIpAddress=172.31.0.5", address, two), "associationId")
	if second == before || second == "" {
		t.Errorf("a new association is called %q as the old one", second)
	}
	w.refused("InvalidAssociationID.NotFound", "Action=DisassociateAddress&AssociationId=%s", before)
	w.shows(w.ask("Action=DescribeAddresses&Filter.1.Name=tag:of&Filter.1.Value.1=test&Filter.2.Name=instance-id&Filter.2.Value.1=%s", two),
		"<networkInterfaceId>"+eniTwo+"</networkInterfaceId>", "<associationId>"+second+"</associationId>", "<privateIpAddress>172.31.0.5</privateIpAddress>")
	b, other := w.allocate()
	w.refused("Resource.AlreadyAssociated", "Action=AssociateAddress&AllocationId=%s&InstanceId=%s&AllowReassociation=false", b, two)
	w.ask("Action=AssociateAddress&AllocationId=%s&InstanceId=%s", b, two)
	w.ask("Action=ReleaseAddress&PublicIp=%s", address)
	w.ask("Action=DisassociateAddress&PublicIp=%s", other)
	w.ask("Action=DisassociateAddress&PublicIp=%s", other)
	w.ask("Action=ReleaseAddress&AllocationId=%s", b)
	w.shows(w.ask("Action=DescribeAddresses"), "<addressesSet/>")
}

func TestALentAddressIsNotTheUsers(t *testing.T) {
	w := newWorld(t)
	_, eni := w.run("")
	w.shows(w.ask("Action=DescribeAddresses"), "<addressesSet/>")
	body := w.ask("Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=%s", eni)
	w.refused("OperationNotPermitted", "Action=DisassociateAddress&AssociationId=%s", first(body, "associationId"))
	w.refused("InvalidAddress.NotFound", "Action=ReleaseAddress&PublicIp=%s", first(body, "publicIp"))
}

func TestAddressesRunOut(t *testing.T) {
	w := newWorld(t)
	w.limit(quota.Addresses, 2)
	w.allocate()
	w.allocate()
	w.refused("AddressLimitExceeded", "Action=AllocateAddress")
	w.limit(quota.Addresses, 100)
	for range 6 {
		w.allocate()
	}
	w.refused("InsufficientAddressCapacity", "Action=AllocateAddress")
}

func TestBadAddresses(t *testing.T) {
	w := newWorld(t)
	instance, eni := w.run("")
	a, address := w.allocate()
	const noID = "0123456789abcdef0"
	for _, c := range []struct{ form, code string }{
		{"AllocateAddress&Domain=standard", "UnsupportedOperation"},
		{"AllocateAddress&Domain=moon", "InvalidParameterValue"},
		{"AllocateAddress&NetworkBorderGroup=moon", "InvalidParameterValue"},
		{"AllocateAddress&Address=x", "InvalidParameterValue"},
		{"AllocateAddress&Address=10.0.0.1", "InvalidAddress.NotFound"},
		{"AllocateAddress&Address=" + address, "InvalidIPAddress.InUse"},
		{"AllocateAddress&PublicIpv4Pool=ipv4pool-ec2-1", "UnsupportedOperation"},
		{"AllocateAddress&DryRun=true", "DryRunOperation"},
		{"ReleaseAddress", "MissingParameter"},
		{"ReleaseAddress&AllocationId=x", "InvalidAllocationID.Malformed"},
		{"ReleaseAddress&AllocationId=eipalloc-" + noID, "InvalidAllocationID.NotFound"},
		{"ReleaseAddress&PublicIp=x", "InvalidParameterValue"},
		{"ReleaseAddress&PublicIp=10.0.0.1", "InvalidAddress.NotFound"},
		{"ReleaseAddress&AllocationId=" + a + "&PublicIp=" + address, "InvalidParameterCombination"},
		{"AssociateAddress&InstanceId=" + instance, "MissingParameter"},
		{"AssociateAddress&AllocationId=" + a, "MissingParameter"},
		{"AssociateAddress&AllocationId=" + a + "&InstanceId=i-" + noID, "InvalidInstanceID.NotFound"},
		{"AssociateAddress&AllocationId=" + a + "&InstanceId=x", "InvalidInstanceID.Malformed"},
		{"AssociateAddress&AllocationId=" + a + "&NetworkInterfaceId=eni-" + noID, "InvalidNetworkInterfaceID.NotFound"},
		{"AssociateAddress&AllocationId=" + a + "&NetworkInterfaceId=" + eni + "&InstanceId=" + instance, "InvalidParameterCombination"},
		{"AssociateAddress&AllocationId=" + a + "&InstanceId=" + instance + "&PrivateIpAddress=10.0.0.1", "InvalidParameterValue"},
		{"DisassociateAddress", "MissingParameter"},
		{"DisassociateAddress&AssociationId=x", "InvalidAssociationID.Malformed"},
		{"DisassociateAddress&AssociationId=eipassoc-" + noID, "InvalidAssociationID.NotFound"},
		{"DescribeAddresses&AllocationId.1=eipalloc-" + noID, "InvalidAllocationID.NotFound"},
		{"DescribeAddresses&PublicIp.1=10.0.0.1", "InvalidAddress.NotFound"},
		{"DescribeAddresses&PublicIp.1=x", "InvalidParameterValue"},
		{"DescribeAddressesAttribute&AllocationId.1=eipalloc-" + noID, "InvalidAllocationID.NotFound"},
	} {
		w.refused(c.code, "Action=%s", c.form)
	}
	w.ask("Action=TerminateInstances&InstanceId.1=%s", instance)
	w.refused("IncorrectInstanceState", "Action=AssociateAddress&AllocationId=%s&InstanceId=%s", a, instance)
	w.refusedAs("bob", "InvalidAllocationID.NotFound", "Action=ReleaseAddress&AllocationId=%s", a)
	w.shows(w.ask("Action=DescribeAddressesAttribute&Attribute=domain-name&AllocationId.1=%s", a), "<addressSet/>")
}
