package ec2

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/rights"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/action"
	"karri/shared/identity"
	"karri/shared/wire"
)

// as lets a user of ann's account with one policy ask from now on.
func (w *world) as(statements string) {
	w.Helper()
	a := w.accounts["ann"]
	i := &identity.Identity{Kind: identity.User, Account: a, Name: "u", ARN: "arn:aws:iam::" + a + ":user/u", ID: "AIDAU",
		Policies: []identity.Document{{Name: "p", Text: `{"Version":"2012-10-17","Statement":[` + statements + `]}`}}}
	r, err := i.Compile(nil)
	if err != nil {
		w.Fatal(err)
	}
	v, err := vault.Open(filepath.Join(w.TempDir(), "master.key"))
	if err != nil {
		w.Fatal(err)
	}
	w.door.Policy = &rights.Policy{Vault: v}
	w.door.Who = func(*http.Request, string) (action.Caller, error) {
		return action.Caller{Account: a, ARN: i.ARN, UserID: i.ID, Rights: r}, nil
	}
}

func TestConditionsSeeWhatIsUsedAndMade(t *testing.T) {
	w := newWorld(t)
	instance, _ := w.run("")
	w.ask("Action=CreateTags&Tag.1.Key=team&Tag.1.Value=red&ResourceId.1=%s", instance)
	const all = `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`
	deny := func(action, resource, condition string) string {
		return all + `,{"Effect":"Deny","Action":"` + action + `","Resource":"` + resource + `","Condition":{` + condition + `}}`
	}
	run := "Action=RunInstances&MinCount=1&MaxCount=1&ImageId=" + w.image
	for _, c := range []struct {
		policy, form string
		refused      bool
	}{
		{deny("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*", `"StringNotEquals":{"ec2:InstanceType":"t1.nano"}`), run + "&InstanceType=m1.small", true},
		{deny("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*", `"StringNotEquals":{"ec2:InstanceType":"t1.nano"}`), run + "&InstanceType=t1.nano", false},
		{deny("ec2:RunInstances", "arn:aws:ec2:*::image/*", `"StringEquals":{"ec2:ImageID":"`+w.image+`"}`), run, true},
		{deny("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*", `"Null":{"aws:RequestTag/team":"true"}`), run, true},
		{deny("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*", `"Null":{"aws:RequestTag/team":"true"}`), run + "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=red", false},
		{deny("ec2:CreateTags", "*", `"StringEquals":{"ec2:CreateAction":"RunInstances"}`), run + "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=red", true},
		{deny("ec2:CreateTags", "*", `"StringEquals":{"ec2:CreateAction":"RunInstances"}`), run, false},
		{deny("ec2:StopInstances", "arn:aws:ec2:*:*:instance/*", `"StringEquals":{"aws:ResourceTag/team":"red"}`), "Action=StopInstances&InstanceId.1=" + instance, true},
		{deny("ec2:StopInstances", "arn:aws:ec2:*:*:instance/*", `"StringEquals":{"ec2:ResourceTag/team":"blue"}`), "Action=StopInstances&InstanceId.1=" + instance, false},
		{deny("ec2:CreateVolume", "arn:aws:ec2:*:*:volume/*", `"NumericGreaterThan":{"ec2:VolumeSize":"1"}`), "Action=CreateVolume&Size=2&AvailabilityZone=" + zoneA, true},
		{deny("ec2:CreateVolume", "arn:aws:ec2:*:*:volume/*", `"NumericGreaterThan":{"ec2:VolumeSize":"1"}`), "Action=CreateVolume&Size=1&AvailabilityZone=" + zoneA, false},
		{`{"Effect":"Allow","Action":"ec2:DeleteKeyPair","Resource":"arn:aws:ec2:*:*:key-pair/mine"}`, "Action=DeleteKeyPair&KeyName=mine", false},
		{`{"Effect":"Allow","Action":"ec2:DeleteKeyPair","Resource":"arn:aws:ec2:*:*:key-pair/mine"}`, "Action=DeleteKeyPair&KeyName=yours", true},
		// What is not there is told only to who might use it.
		{`{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}`, "Action=TerminateInstances&InstanceId.1=i-00000000000000000", true},
		{all, "Action=TerminateInstances&InstanceId.1=i-00000000000000000", false},
	} {
		w.as(c.policy)
		_, body := w.send("ann", c.form+"&DryRun=true")
		if got := first(body, "Code"); (got == "UnauthorizedOperation") != c.refused {
			t.Errorf("%s with %s: %s %s", c.form, strings.TrimPrefix(c.policy, all+","), got, first(body, "Message"))
		}
	}
}

// Without a subnet in the request, the right to the one that will be used is
// asked for: not to any, and not to another than the instance is then in.
func TestALaunchWithoutASubnetAsksForTheOneItWillUse(t *testing.T) {
	w := newWorld(t)
	const zoneB = "us-east-1b"
	w.tx(func(tx *store.Tx) error {
		return tx.Put(&store.Component{Name: zoneB + ".clusterctl.karri", Role: "clusterctl", Zone: zoneB, Address: "127.0.0.1:2", Joined: time.Now()})
	})
	room := func(zone string, vcpus int) {
		all := wire.Capacity{VCPUs: vcpus, MemoryMiB: 1024 * vcpus, DiskGiB: 100 * vcpus}
		w.api.Reports.PutCluster(zone, wire.ClusterReport{Nodes: map[string]wire.Node{"n1": {Name: "n1", State: wire.Ready, Total: all, Seen: time.Now()}}}, time.Now())
	}
	a := first(w.ask("Action=DescribeSubnets&Filter.1.Name=availability-zone&Filter.1.Value.1=%s", zoneA), "subnetId")
	if err := w.book.AddZone(t.Context(), zoneB); err != nil {
		t.Fatal(err)
	}
	b := first(w.ask("Action=DescribeSubnets&Filter.1.Name=availability-zone&Filter.1.Value.1=%s", zoneB), "subnetId")
	only := func(subnet string) {
		w.as(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Effect":"Deny","Action":"ec2:RunInstances","NotResource":["arn:aws:ec2:*:*:subnet/` + subnet + `",
			"arn:aws:ec2:*::image/*","arn:aws:ec2:*:*:instance/*","arn:aws:ec2:*:*:network-interface/*","arn:aws:ec2:*:*:volume/*","arn:aws:ec2:*:*:security-group/*"]}`)
	}
	run := "Action=RunInstances&MinCount=1&MaxCount=1&ImageId=" + w.image
	room(zoneA, 0)
	room(zoneB, 8)
	only(b)
	if got := first(w.ask("%s&ClientToken=one", run), "subnetId"); got != b {
		t.Errorf("it is in %s, not %s", got, b)
	}
	w.refused("UnauthorizedOperation", "%s&Placement.AvailabilityZone=%s", run, zoneA)
	room(zoneA, 80)
	w.refused("UnauthorizedOperation", "%s", run)
	if got := first(w.ask("%s&ClientToken=one", run), "subnetId"); got != b {
		t.Errorf("the repeat is in %s", got)
	}
	only(a)
	if got := first(w.ask("%s", run), "subnetId"); got != a {
		t.Errorf("it is in %s, not %s", got, a)
	}
	w.refused("UnauthorizedOperation", "%s&Placement.AvailabilityZone=%s", run, zoneB)
	w.as(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"ArnEquals":{"ec2:Subnet":"arn:aws:ec2:*:*:subnet/` + a + `"}}}`)
	w.refused("UnauthorizedOperation", "%s", run)
	w.ask("%s&Placement.AvailabilityZone=%s", run, zoneB)
}
