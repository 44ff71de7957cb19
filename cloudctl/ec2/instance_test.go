package ec2

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/id"
	"karri/shared/wire"
)

// sees puts what the zone reports of an instance.
func (w *world) sees(instance string, state wire.InstanceState) {
	r := w.api.Reports.Cluster(zoneA).ClusterReport
	next := wire.ClusterReport{Nodes: r.Nodes, Instances: map[id.Instance]wire.InstanceSeen{}}
	for i, s := range r.Instances {
		next.Instances[i] = s
	}
	next.Instances[id.Instance(instance)] = wire.InstanceSeen{State: state, Node: "n1"}
	w.api.Reports.PutCluster(zoneA, next, time.Now())
}

// state returns the state that DescribeInstances shows.
func (w *world) state(instance string) string {
	w.Helper()
	_, after, _ := strings.Cut(w.ask("Action=DescribeInstances&InstanceId.1=%s", instance), "<instanceState>")
	return first(after, "name")
}

func TestRunInstancesWritesAllThatWasAsked(t *testing.T) {
	w := newWorld(t)
	w.ask("Action=CreateKeyPair&KeyName=k&KeyType=ed25519")
	before := w.nudges
	body := w.ask("Action=RunInstances&ImageId=%s&MinCount=2&MaxCount=2&InstanceType=t1.nano&KeyName=k&UserData=%s&InstanceInitiatedShutdownBehavior=terminate"+
		"&MetadataOptions.HttpTokens=required&MetadataOptions.HttpPutResponseHopLimit=3&DisableApiTermination=true"+
		"&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=web"+
		"&TagSpecification.2.ResourceType=volume&TagSpecification.2.Tag.1.Key=Name&TagSpecification.2.Tag.1.Value=data"+
		"&BlockDeviceMapping.1.DeviceName=%%2Fdev%%2Fsda1&BlockDeviceMapping.1.Ebs.VolumeSize=5"+
		"&BlockDeviceMapping.2.DeviceName=%%2Fdev%%2Fsdf&BlockDeviceMapping.2.Ebs.VolumeSize=3&Monitoring.Enabled=false", w.image, base64.StdEncoding.EncodeToString([]byte("hello")))
	w.shows(body, "<keyName>k</keyName>", "<httpTokens>required</httpTokens>", "<httpPutResponseHopLimit>3</httpPutResponseHopLimit>",
		"<key>Name</key><value>web</value>", "<amiLaunchIndex>1</amiLaunchIndex>", "<name>pending</name>", "<privateIpAddress>172.31.0.4</privateIpAddress>",
		"<privateIpAddress>172.31.0.5</privateIpAddress>", "<groupName>default</groupName>", "<deviceName>/dev/sdf</deviceName>", "<rootDeviceType>instance-store</rootDeviceType>")
	if ips := all(body, "ipAddress"); len(ips) != 2 || ips[0] == ips[1] || w.nudges != before+1 {
		t.Errorf("public addresses %v, %d nudges", ips, w.nudges-before)
	}
	instance := first(body, "instanceId")
	w.tx(func(tx *store.Tx) error {
		i, err := tx.Instance(w.accounts["ann"], id.Instance(instance))
		if err == nil && (i.DiskGiB != 5 || string(i.UserData) != "hello" || i.OnShut != "terminate" || !i.Protected || i.PublicKey == "" || i.Image.SHA256 == "") {
			t.Errorf("%+v", i)
		}
		return err
	})
	w.shows(w.ask("Action=DescribeVolumes"), "<size>3</size>", "<value>data</value>", "<deleteOnTermination>true</deleteOnTermination>")
	w.refused("OperationNotPermitted", "Action=TerminateInstances&InstanceId.1=%s", instance)
}

func TestAClientTokenMakesOneReservation(t *testing.T) {
	w := newWorld(t)
	ask := func(count int) string {
		w.Helper()
		return w.ask("Action=RunInstances&ImageId=%s&InstanceType=t1.nano&MinCount=1&MaxCount=%d&ClientToken=once", w.image, count)
	}
	a, b := ask(2), ask(2)
	if first(a, "reservationId") != first(b, "reservationId") || len(all(w.ask("Action=DescribeInstances"), "amiLaunchIndex")) != 2 {
		t.Errorf("%s\n%s", a, b)
	}
	w.refused("IdempotentParameterMismatch", "Action=RunInstances&ImageId=%s&InstanceType=t1.nano&MinCount=1&MaxCount=1&ClientToken=once", w.image)
}

func TestTheCountIsDecidedByRoomAndLimit(t *testing.T) {
	w := newWorld(t)
	w.api.Pool = nil
	nodes := map[string]wire.Node{"n1": {State: wire.Ready, Total: wire.Capacity{VCPUs: 3, MemoryMiB: 4096, DiskGiB: 100}}}
	w.api.Reports.PutCluster(zoneA, wire.ClusterReport{Nodes: nodes}, time.Now())
	run := "Action=RunInstances&InstanceType=t1.nano&ImageId=" + w.image
	w.refused("InsufficientInstanceCapacity", "%s&MinCount=4&MaxCount=5", run)
	if n := len(all(w.ask("%s&MinCount=1&MaxCount=2", run), "amiLaunchIndex")); n != 2 {
		t.Errorf("%d instances", n)
	}
	// The two are promised, though no report has them yet.
	if n := len(all(w.ask("%s&MinCount=1&MaxCount=9", run), "amiLaunchIndex")); n != 1 {
		t.Errorf("%d more instances", n)
	}
	w.refused("InsufficientInstanceCapacity", "%s&MinCount=1&MaxCount=1", run)
	w.limit(quota.Instances, 3)
	w.refused("InstanceLimitExceeded", "%s&MinCount=1&MaxCount=1", run)
	if n := len(all(w.ask("Action=DescribeInstances"), "amiLaunchIndex")); n != 3 {
		t.Errorf("a refused request left something: %d", n)
	}
}

func TestStatesFollowWishAndReport(t *testing.T) {
	w := newWorld(t)
	i, _ := w.run("")
	is := func(want string) {
		w.Helper()
		if got := w.state(i); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	is("pending")
	w.refused("IncorrectInstanceState", "Action=StopInstances&InstanceId.1=%s", i)
	w.refused("IncorrectInstanceState", "Action=RebootInstances&InstanceId.1=%s", i)
	w.sees(i, wire.InstanceRunning)
	is("running")
	w.shows(w.ask("Action=DescribeInstanceStatus"), "<status>ok</status>", "<status>passed</status>")
	w.ask("Action=RebootInstances&InstanceId.1=%s", i)
	is("running")
	w.shows(w.ask("Action=StopInstances&InstanceId.1=%s", i), "<name>stopping</name>", "<name>running</name>")
	is("stopping")
	w.refused("IncorrectInstanceState", "Action=StartInstances&InstanceId.1=%s", i)
	if body := w.ask("Action=DescribeInstanceStatus"); strings.Contains(body, i) {
		t.Errorf("it does not run: %s", body)
	}
	w.shows(w.ask("Action=DescribeInstanceStatus&IncludeAllInstances=true"), "<status>not-applicable</status>", "<name>stopping</name>")
	w.sees(i, wire.InstanceStopped)
	is("stopped")
	w.shows(w.ask("Action=StartInstances&InstanceId.1=%s", i), "<name>pending</name>", "<name>stopped</name>")
	is("pending")
	w.shows(w.ask("Action=TerminateInstances&InstanceId.1=%s", i), "<name>shutting-down</name>")
	is("shutting-down")
	w.shows(w.ask("Action=DescribeInstances"), "<code>Client.UserInitiatedShutdown</code>", "User initiated (")
	w.ask("Action=TerminateInstances&InstanceId.1=%s", i)
}

func TestTerminateLeavesPendingAndStoppingAtOnce(t *testing.T) {
	w := newWorld(t)
	a, _ := w.run("")
	b, _ := w.run("")
	w.sees(b, wire.InstanceRunning)
	w.ask("Action=StopInstances&InstanceId.1=%s", b)
	w.ask("Action=TerminateInstances&InstanceId.1=%s&InstanceId.2=%s", a, b)
	for _, i := range []string{a, b} {
		if got := w.state(i); got != "shutting-down" {
			t.Errorf("%s", got)
		}
	}
}

func TestAllOrNoneOfTheNamedInstancesChange(t *testing.T) {
	w := newWorld(t)
	a, _ := w.run("")
	b, _ := w.run("&DisableApiTermination=true")
	w.refused("OperationNotPermitted", "Action=TerminateInstances&InstanceId.1=%s&InstanceId.2=%s", a, b)
	if w.state(a) != "pending" {
		t.Error("one was ended, and the other refused")
	}
}

func TestInstancesAreFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for range 7 {
		i, _ := w.run("")
		ids = append(ids, i)
	}
	w.ask("Action=CreateTags&ResourceId.1=%s&Tag.1.Key=tier&Tag.1.Value=front", ids[3])
	for filter, n := range map[string]int{
		"tag:tier&Filter.1.Value.1=fr*": 1, "tag-key&Filter.1.Value.1=tier": 1, "instance-state-name&Filter.1.Value.1=pending": 7,
		"instance-state-name&Filter.1.Value.1=running": 0, "private-ip-address&Filter.1.Value.1=172.31.0.5": 1, "vpc-id&Filter.1.Value.1=vpc-*": 7,
		"image-id&Filter.1.Value.1=" + w.image: 7, "instance-type&Filter.1.Value.1=m1.*": 0, "group-name&Filter.1.Value.1=default": 7,
	} {
		if got := len(all(w.ask("Action=DescribeInstances&Filter.1.Name=%s", filter), "amiLaunchIndex")); got != n {
			t.Errorf("%s finds %d, not %d", filter, got, n)
		}
	}
	w.refused("InvalidParameterValue", "Action=DescribeInstances&Filter.1.Name=nonsense&Filter.1.Value.1=x")
	var seen []string
	token := ""
	for range 4 {
		body := w.ask("Action=DescribeInstances&MaxResults=5%s", token)
		seen = append(seen, all(body, "instanceId")...)
		if next := first(body, "nextToken"); next != "" {
			token = "&NextToken=" + next
			continue
		}
		break
	}
	if strings.Join(seen, " ") != strings.Join(ids, " ") {
		t.Errorf("paged %v, want %v", seen, ids)
	}
	w.refused("InvalidParameterCombination", "Action=DescribeInstances&MaxResults=5&InstanceId.1=%s", ids[0])
	w.refused("InvalidParameterValue", "Action=DescribeInstances&MaxResults=1")
	w.refused("InvalidNextToken", "Action=DescribeInstances&NextToken=zzz")
}

func TestDryRunChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.refused("DryRunOperation", "Action=RunInstances&DryRun=true&ImageId=%s&MinCount=1&MaxCount=1", w.image)
	if body := w.ask("Action=DescribeInstances"); strings.Contains(body, "<instanceId>") {
		t.Error(body)
	}
}

func TestAttributesOfInstances(t *testing.T) {
	w := newWorld(t)
	i, _ := w.run("&UserData=aGk%3D")
	show := func(name string, pieces ...string) {
		w.Helper()
		w.shows(w.ask("Action=DescribeInstanceAttribute&InstanceId=%s&Attribute=%s", i, name), pieces...)
	}
	set := func(more string) { w.Helper(); w.ask("Action=ModifyInstanceAttribute&InstanceId=%s&%s", i, more) }
	show("userData", "<value>aGk=</value>")
	show("disableApiTermination", "<value>false</value>")
	set("DisableApiTermination.Value=true")
	show("disableApiTermination", "<value>true</value>")
	set("Attribute=disableApiTermination&Value=false")
	show("disableApiTermination", "<value>false</value>")
	set("InstanceInitiatedShutdownBehavior.Value=terminate")
	show("instanceInitiatedShutdownBehavior", "<value>terminate</value>")
	set("SourceDestCheck.Value=false")
	show("sourceDestCheck", "<value>false</value>")
	show("instanceType", "<value>t1.nano</value>")
	show("groupSet", "<groupName>default</groupName>")
	w.refused("IncorrectInstanceState", "Action=ModifyInstanceAttribute&InstanceId=%s&InstanceType.Value=t1.micro", i)
	w.refused("InvalidParameterCombination", "Action=ModifyInstanceAttribute&InstanceId=%s&InstanceType.Value=t1.micro&SourceDestCheck.Value=true", i)
	w.refused("InvalidParameterValue", "Action=DescribeInstanceAttribute&InstanceId=%s&Attribute=nonsense", i)
	w.refused("UnsupportedOperation", "Action=ModifyInstanceAttribute&InstanceId=%s&EbsOptimized.Value=true", i)
	w.shows(w.ask("Action=ModifyInstanceMetadataOptions&InstanceId=%s&HttpTokens=required&HttpEndpoint=disabled", i), "<httpTokens>required</httpTokens>", "<state>pending</state>")
	w.shows(w.ask("Action=DescribeInstances"), "<httpTokens>required</httpTokens>", "<httpEndpoint>disabled</httpEndpoint>")
	w.refused("InvalidParameterValue", "Action=ModifyInstanceMetadataOptions&InstanceId=%s&HttpPutResponseHopLimit=65", i)
}
