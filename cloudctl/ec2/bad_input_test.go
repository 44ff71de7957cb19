package ec2

import (
	"strings"
	"testing"

	"karri/shared/bucket/buckettest"
)

// Every line is a request that cannot be met, and the code that says so. In it
// I, V, S, A and K stand for an instance, a volume, a snapshot, an image and a
// key pair that are there.
var badInput = []struct{ code, form string }{
	{"MissingParameter", "Action=RunInstances&MinCount=1&MaxCount=1"},
	{"MissingParameter", "Action=RunInstances&ImageId=A&MaxCount=1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=0&MaxCount=1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=-1&MaxCount=1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=2&MaxCount=1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=one&MaxCount=1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=99999999999999999999&MaxCount=1"},
	{"InvalidAMIID.Malformed", "Action=RunInstances&ImageId=emi-12345678&MinCount=1&MaxCount=1"},
	{"InvalidAMIID.NotFound", "Action=RunInstances&ImageId=ami-12345678&MinCount=1&MaxCount=1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&InstanceType=huge"},
	{"InvalidKeyPair.NotFound", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&KeyName=none"},
	{"InvalidGroup.NotFound", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&SecurityGroupId.1=sg-12345678"},
	{"InvalidGroupId.Malformed", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&SecurityGroupId.1=web"},
	{"InvalidGroup.NotFound", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&SecurityGroup.1=web"},
	{"InvalidSubnetID.NotFound", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&SubnetId=subnet-12345678"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&Placement.AvailabilityZone=us-east-1z"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&PrivateIpAddress=10.0.0.1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&PrivateIpAddress=172.31.0.1"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&PrivateIpAddress=%3Cx%3E"},
	{"InvalidParameterCombination", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=2&PrivateIpAddress=172.31.0.9"},
	{"InvalidIPAddress.InUse", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&PrivateIpAddress=172.31.0.4"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&UserData=%3F%3F"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&ClientToken=" + strings.Repeat("x", 65)},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&InstanceInitiatedShutdownBehavior=burn"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&MetadataOptions.HttpTokens=maybe"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&MetadataOptions.HttpPutResponseHopLimit=0"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=a"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=aws:a"},
	{"InvalidBlockDeviceMapping", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&BlockDeviceMapping.1.DeviceName=/dev/sda1&BlockDeviceMapping.1.Ebs.VolumeSize=0"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&BlockDeviceMapping.1.DeviceName=/dev/sdf&BlockDeviceMapping.1.Ebs.VolumeSize=0"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&BlockDeviceMapping.1.DeviceName=../x&BlockDeviceMapping.1.Ebs.VolumeSize=1"},
	{"UnsupportedOperation", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&BlockDeviceMapping.1.DeviceName=/dev/sda1&BlockDeviceMapping.1.Ebs.DeleteOnTermination=false"},
	{"UnsupportedOperation", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&BlockDeviceMapping.1.DeviceName=/dev/sdf&BlockDeviceMapping.1.Ebs.Encrypted=true"},
	{"InvalidParameterValue", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&IamInstanceProfile.Name=x"},
	{"UnsupportedOperation", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&Monitoring.Enabled=true"},
	{"UnsupportedOperation", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&Placement.Tenancy=dedicated"},
	{"UnknownParameter", "Action=RunInstances&ImageId=A&MinCount=1&MaxCount=1&Colour=red"},
	{"UnsupportedOperation", "Action=MonitorInstances&InstanceId.1=I"},

	{"InvalidInstanceID.Malformed", "Action=DescribeInstances&InstanceId.1=x"},
	{"InvalidInstanceID.NotFound", "Action=DescribeInstances&InstanceId.1=i-12345678"},
	{"MissingParameter", "Action=TerminateInstances"},
	{"InvalidInstanceID.Malformed", "Action=TerminateInstances&InstanceId.1=V"},
	{"InvalidInstanceID.NotFound", "Action=StopInstances&InstanceId.1=i-12345678"},
	{"InvalidInstanceID.NotFound", "Action=StartInstances&InstanceId.1=i-12345678"},
	{"InvalidInstanceID.NotFound", "Action=RebootInstances&InstanceId.1=I&InstanceId.2=i-12345678"},
	{"InvalidInstanceID.NotFound", "Action=GetConsoleOutput&InstanceId=i-12345678"},
	{"UnsupportedOperation", "Action=StopInstances&InstanceId.1=I&Hibernate=true"},

	{"InvalidKeyPair.Duplicate", "Action=CreateKeyPair&KeyName=K"},
	{"InvalidParameterValue", "Action=CreateKeyPair&KeyName=new&KeyType=dsa"},
	{"InvalidParameterValue", "Action=CreateKeyPair&KeyName=" + strings.Repeat("k", 256)},
	{"UnsupportedOperation", "Action=CreateKeyPair&KeyName=new&KeyFormat=ppk"},
	{"InvalidKey.Format", "Action=ImportKeyPair&KeyName=new&PublicKeyMaterial=bm8%3D"},
	{"InvalidKeyPair.NotFound", "Action=DescribeKeyPairs&KeyName.1=none"},

	{"InvalidAMIName.Malformed", "Action=RegisterImage&Name=x&ImageLocation=b/k"},
	{"MissingParameter", "Action=RegisterImage&Name=new"},
	{"InvalidParameterValue", "Action=RegisterImage&Name=new&ImageLocation=bucket"},
	{"InvalidParameterValue", "Action=RegisterImage&Name=new&ImageLocation=file:///etc/passwd"},
	{"InvalidParameterValue", "Action=RegisterImage&Name=new&ImageLocation=http://169.254.169.254/x"},
	{"InvalidParameterValue", "Action=RegisterImage&Name=new&ImageLocation=karri-images/A"},
	{"InvalidManifest", "Action=RegisterImage&Name=new&ImageLocation=bucket/none"},
	{"UnsupportedOperation", "Action=RegisterImage&Name=new&ImageLocation=b/k&Architecture=arm64"},
	{"UnsupportedOperation", "Action=RegisterImage&Name=new&ImageLocation=b/k&VirtualizationType=paravirtual"},
	{"InvalidAMIID.NotFound", "Action=DeregisterImage&ImageId=ami-12345678"},
	{"InvalidAMIID.Malformed", "Action=DescribeImages&ImageId.1=x"},

	{"MissingParameter", "Action=CreateVolume&AvailabilityZone=us-east-1a"},
	{"InvalidZone.NotFound", "Action=CreateVolume&AvailabilityZone=mars&Size=1"},
	{"InvalidParameterValue", "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=0"},
	{"InvalidParameterValue", "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=99999999"},
	{"InvalidParameterValue", "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=1&VolumeType=tape"},
	{"UnsupportedOperation", "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=1&VolumeType=io1"},
	{"UnsupportedOperation", "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=1&Encrypted=true"},
	{"InvalidSnapshot.NotFound", "Action=CreateVolume&AvailabilityZone=us-east-1a&SnapshotId=snap-12345678"},
	{"InvalidSnapshotID.Malformed", "Action=CreateVolume&AvailabilityZone=us-east-1a&SnapshotId=x"},
	{"IncorrectState", "Action=CreateVolume&AvailabilityZone=us-east-1a&SnapshotId=S"},
	{"InvalidVolumeID.Malformed", "Action=DescribeVolumes&VolumeId.1=x"},
	{"InvalidVolume.NotFound", "Action=DeleteVolume&VolumeId=vol-12345678"},
	{"InvalidVolume.NotFound", "Action=AttachVolume&VolumeId=vol-12345678&InstanceId=I&Device=/dev/sdf"},
	{"InvalidInstanceID.NotFound", "Action=AttachVolume&VolumeId=V&InstanceId=i-12345678&Device=/dev/sdf"},
	{"InvalidParameterValue", "Action=AttachVolume&VolumeId=V&InstanceId=I&Device=/dev/sda1"},
	{"InvalidParameterValue", "Action=AttachVolume&VolumeId=V&InstanceId=I&Device=%3Cb%3E"},
	{"IncorrectState", "Action=DetachVolume&VolumeId=V"},
	{"InvalidVolume.NotFound", "Action=CreateSnapshot&VolumeId=vol-12345678"},
	{"InvalidParameterValue", "Action=CreateSnapshot&VolumeId=V&Description=" + strings.Repeat("d", 256)},
	{"InvalidSnapshot.NotFound", "Action=DeleteSnapshot&SnapshotId=snap-12345678"},

	{"InvalidID", "Action=CreateTags&ResourceId.1=x&Tag.1.Key=a"},
	{"InvalidVolume.NotFound", "Action=CreateTags&ResourceId.1=vol-12345678&Tag.1.Key=a"},
	{"MissingParameter", "Action=CreateTags&ResourceId.1=V"},
	{"InvalidParameterValue", "Action=CreateTags&ResourceId.1=V&Tag.1.Key=&Tag.1.Value=x"},
	{"InvalidParameterValue", "Action=CreateTags&ResourceId.1=V&Tag.1.Key=" + strings.Repeat("k", 128)},
	{"InvalidParameterValue", "Action=CreateTags&ResourceId.1=V&Tag.1.Key=a&Tag.1.Value=" + strings.Repeat("v", 256)},
	{"InvalidParameterValue", "Action=CreateTags&ResourceId.1=V&Tag.1.Key=AWS:a&Tag.1.Value=x"},
	{"InvalidParameterValue", "Action=DescribeRegions&RegionName.1=mars"},
	{"InvalidParameterValue", "Action=DescribeAvailabilityZones&ZoneName.1=mars"},
	{"InvalidInstanceType", "Action=DescribeInstanceTypes&InstanceType.1=huge"},
}

func TestBadInputIsRefusedByItsCode(t *testing.T) {
	w := newWorld(t)
	w.api.Buckets = buckettest.New(nil)
	w.ask("Action=CreateKeyPair&KeyName=K&KeyType=ed25519")
	i, _ := w.run("")
	v := w.volume()
	s := first(w.ask("Action=CreateSnapshot&VolumeId=%s", v), "snapshotId")
	before := w.holdings(w.accounts["ann"])
	ids := strings.NewReplacer("=A&", "="+w.image+"&", "=I&", "="+i+"&", "=V&", "="+v+"&", "=S&", "="+s+"&", "/A&", "/"+w.image+"&")
	for _, b := range badInput {
		form := strings.TrimSuffix(ids.Replace(b.form+"&"), "&")
		status, body := w.send("ann", form)
		if got := first(body, "Code"); got != b.code || status < 400 || status >= 500 {
			t.Errorf("%s: %d %s, want %s", b.form, status, body, b.code)
		}
	}
	if now := w.holdings(w.accounts["ann"]); now != before {
		t.Errorf("refused requests changed\n%s to\n%s", before, now)
	}
}
