package ec2

import (
	"encoding/base64"
	"strings"
	"testing"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/bucket/buckettest"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"

	"context"
	"time"
)

// volume makes a volume of ann's that is ready, and returns its id.
func (w *world) volume() string {
	w.Helper()
	v := first(w.ask("Action=CreateVolume&Size=1&AvailabilityZone=%s", zoneA), "volumeId")
	w.tx(func(tx *store.Tx) error {
		row, err := tx.VolumeRow(id.Volume(v))
		row.Ready = true
		return errorOr(err, func() error { return tx.Put(row) })
	})
	return v
}

func errorOr(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}

func TestTheLifeOfAVolume(t *testing.T) {
	w := newWorld(t)
	i, _ := w.run("")
	w.sees(i, wire.InstanceRunning)
	fresh := first(w.ask("Action=CreateVolume&Size=1&AvailabilityZone=%s&ClientToken=t", zoneA), "volumeId")
	if again := first(w.ask("Action=CreateVolume&Size=1&AvailabilityZone=%s&ClientToken=t", zoneA), "volumeId"); again != fresh {
		t.Errorf("a token made %s and %s", fresh, again)
	}
	w.refused("IncorrectState", "Action=AttachVolume&VolumeId=%s&InstanceId=%s&Device=/dev/sdf", fresh, i)
	v := w.volume()
	w.shows(w.ask("Action=AttachVolume&VolumeId=%s&InstanceId=%s&Device=/dev/sdf", v, i), "<status>attaching</status>", "<device>/dev/sdf</device>")
	w.refused("VolumeInUse", "Action=AttachVolume&VolumeId=%s&InstanceId=%s&Device=/dev/sdg", v, i)
	w.refused("VolumeInUse", "Action=DeleteVolume&VolumeId=%s", v)
	w.refused("InvalidParameterValue", "Action=AttachVolume&VolumeId=%s&InstanceId=%s&Device=sdf", w.volume(), i)
	w.shows(w.ask("Action=DescribeVolumes&VolumeId.1=%s", v), "<status>in-use</status>")
	w.shows(w.ask("Action=DescribeInstances&Filter.1.Name=block-device-mapping.volume-id&Filter.1.Value.1=%s", v), i)
	w.refused("InvalidAttachment.NotFound", "Action=DetachVolume&VolumeId=%s&Device=/dev/sdz", v)
	w.shows(w.ask("Action=DetachVolume&VolumeId=%s&InstanceId=%s", v, i), "<status>detaching</status>")
	w.tx(func(tx *store.Tx) error { return tx.Drop(&store.Attachment{Volume: id.Volume(v)}) })
	snap := first(w.ask("Action=CreateSnapshot&VolumeId=%s&Description=d", v), "snapshotId")
	w.shows(w.ask("Action=DescribeSnapshots"), "<status>pending</status>", "<progress>0%</progress>", "<description>d</description>")
	w.tx(func(tx *store.Tx) error {
		row, err := tx.SnapshotRow(id.Snapshot(snap))
		row.Done = true
		return errorOr(err, func() error { return tx.Put(row) })
	})
	w.shows(w.ask("Action=DescribeSnapshots&SnapshotId.1=%s", snap), "<status>completed</status>", "<progress>100%</progress>")
	w.shows(w.ask("Action=CreateVolume&SnapshotId=%s&AvailabilityZone=%s", snap, zoneA), "<size>1</size>", snap)
	w.ask("Action=DeleteSnapshot&SnapshotId=%s", snap)
	w.refused("InvalidSnapshot.NotFound", "Action=DescribeSnapshots&SnapshotId.1=%s", snap)
	w.ask("Action=DeleteVolume&VolumeId=%s", v)
	w.shows(w.ask("Action=DescribeVolumes&VolumeId.1=%s", v), "<status>deleting</status>")
	w.refused("InvalidVolume.NotFound", "Action=DeleteVolume&VolumeId=%s", v)
	w.shows(w.ask("Action=DescribeVolumeStatus"), "insufficient-data")
}

func TestLimitsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.limit(quota.Volumes, 1)
	w.limit(quota.Snapshots, 1)
	v := w.volume()
	w.refused("VolumeLimitExceeded", "Action=CreateVolume&Size=1&AvailabilityZone=%s", zoneA)
	w.ask("Action=CreateSnapshot&VolumeId=%s", v)
	w.refused("SnapshotLimitExceeded", "Action=CreateSnapshot&VolumeId=%s", v)
}

func TestTagsComeAndGo(t *testing.T) {
	w := newWorld(t)
	v := w.volume()
	w.ask("Action=CreateTags&ResourceId.1=%s&ResourceId.2=%s&Tag.1.Key=a&Tag.1.Value=1&Tag.2.Key=b&Tag.2.Value=", v, w.image)
	w.shows(w.ask("Action=DescribeTags&Filter.1.Name=resource-type&Filter.1.Value.1=volume"), "<key>a</key>", v)
	w.shows(w.ask("Action=DescribeImages"), "<key>b</key><value></value>")
	w.ask("Action=DeleteTags&ResourceId.1=%s&Tag.1.Key=a&Tag.1.Value=other", v)
	w.ask("Action=DeleteTags&ResourceId.1=%s&Tag.1.Key=b", v)
	if body := w.ask("Action=DescribeVolumes"); strings.Join(all(body, "key"), " ") != "a" {
		t.Error(body)
	}
	w.ask("Action=DeleteTags&ResourceId.1=%s", v)
	if body := w.ask("Action=DescribeVolumes"); !strings.Contains(body, "<tagSet/>") {
		t.Error(body)
	}
	form := "Action=CreateTags&ResourceId.1=" + v
	for n := range maxTags + 1 {
		form += "&Tag." + string(rune('1'+n%9)) + strings.Repeat("0", n/9) + ".Key=k" + strings.Repeat("x", n)
	}
	w.refused("TagLimitExceeded", "%s", form)
}

func TestKeyPairs(t *testing.T) {
	w := newWorld(t)
	body := w.ask("Action=CreateKeyPair&KeyName=made&KeyType=rsa&TagSpecification.1.ResourceType=key-pair&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b")
	w.shows(body, "-----BEGIN RSA PRIVATE KEY-----", "<key>a</key>")
	if n := strings.Count(first(body, "keyFingerprint"), ":"); n != 19 {
		t.Errorf("fingerprint %s", first(body, "keyFingerprint"))
	}
	line := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me"
	w.ask("Action=ImportKeyPair&KeyName=mine&PublicKeyMaterial=%s", strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(line)), "+", "%2B"))
	w.shows(w.ask("Action=DescribeKeyPairs&KeyName.1=mine&IncludePublicKey=true"), line, "<keyType>ed25519</keyType>")
	w.ask("Action=DeleteKeyPair&KeyName=mine")
	w.ask("Action=DeleteKeyPair&KeyName=mine") // gone is gone
	w.refused("InvalidKeyPair.NotFound", "Action=DescribeKeyPairs&KeyName.1=mine")
}

func TestImagesAreInspectedBeforeTheyAreRegistered(t *testing.T) {
	w := newWorld(t)
	fake := buckettest.New(nil)
	w.api.Buckets = fake
	raw := make([]byte, 128<<10)
	raw[510], raw[511] = 0x55, 0xaa
	backed := append([]byte("QFI\xfb\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x70\x00\x00\x00\x0c"), make([]byte, 128<<10)...)
	fake.UserPut(w.accounts["ann"], "pics", "good", raw)
	fake.UserPut(w.accounts["ann"], "pics", "evil", backed)
	fake.UserPut(w.accounts["bob"], "his", "good", raw)
	ami := first(w.ask("Action=RegisterImage&Name=good&ImageLocation=pics/good&TagSpecification.1.ResourceType=image&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b"), "imageId")
	w.shows(w.ask("Action=DescribeImages&ImageId.1=%s", ami), "<imageState>pending</imageState>", "<imageLocation>pics/good</imageLocation>", "<key>a</key>")
	w.refused("InvalidAMIID.Unavailable", "Action=RunInstances&ImageId=%s&MinCount=1&MaxCount=1", ami)
	w.refused("InvalidManifest", "Action=RegisterImage&Name=evil&ImageLocation=pics/evil")
	w.refused("InvalidManifest", "Action=RegisterImage&Name=his&ImageLocation=his/good")
	w.refused("InvalidAMIName.Duplicate", "Action=RegisterImage&Name=good&ImageLocation=pics/good")
	w.ask("Action=DeregisterImage&ImageId=%s", ami)
	w.refused("InvalidAMIID.NotFound", "Action=DescribeImages&ImageId.1=%s", ami)
	w.ask("Action=RegisterImage&Name=good&ImageLocation=pics/good") // the name is free again
	if body := w.ask("Action=DescribeImages&Owner.1=amazon"); strings.Contains(body, "<imageId>") {
		t.Error(body)
	}
}

// console is a Console that has one text.
type console struct {
	text string
	err  error
}

func (c console) Console(context.Context, string, id.Instance) ([]byte, time.Time, error) {
	return []byte(c.text), time.Now(), c.err
}

func TestTheConsoleIsAnsweredInBase64(t *testing.T) {
	w := newWorld(t)
	i, _ := w.run("")
	w.api.Console = console{text: "login: "}
	w.shows(w.ask("Action=GetConsoleOutput&InstanceId=%s&Latest=true", i), "<output>bG9naW46IA==</output>")
	w.api.Console = console{err: fault.New(fault.Missing, "NotHere", "It has none.")}
	if body := w.ask("Action=GetConsoleOutput&InstanceId=%s", i); strings.Contains(body, "<output>") {
		t.Error(body)
	}
}
