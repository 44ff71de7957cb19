package awsmodel

import (
	"slices"
	"testing"
)

func TestTheModelsAreWhole(t *testing.T) {
	for _, s := range []*Service{EC2(), STS()} {
		if len(s.Operations) == 0 || s.Version == "" || s.Namespace == "" {
			t.Errorf("%s is empty", s.Name)
		}
		for name, op := range s.Operations {
			if op.Input == nil || op.Input.Type != Structure || !s.Known[name] {
				t.Errorf("%s: %+v", name, op)
			}
		}
	}
}

func TestWhatIsKnownOfRunInstances(t *testing.T) {
	op := EC2().Operations["RunInstances"]
	count, disks, token := op.Input.Member("MinCount"), op.Input.Member("BlockDeviceMappings"), op.Input.Member("ClientToken")
	if !count.Required || count.Shape.Type != Integer {
		t.Errorf("MinCount: %+v", count)
	}
	if disks.Wire != "BlockDeviceMapping" || disks.Shape.Type != List || disks.Shape.Element.Shape.Member("Ebs") == nil {
		t.Errorf("BlockDeviceMappings: %+v", disks)
	}
	if !token.Token || op.Output.Name != "Reservation" || op.Paged {
		t.Errorf("ClientToken %+v, output %s", token, op.Output.Name)
	}
	if kind := EC2().Operations["CreateVolume"].Input.Member("VolumeType").Shape; !slices.Contains(kind.Enum, "gp3") {
		t.Errorf("VolumeType: %v", kind)
	}
}

func TestKnownHoldsWhatIsNotServed(t *testing.T) {
	if !EC2().Known["PurchaseHostReservation"] || EC2().Operations["PurchaseHostReservation"] != nil || EC2().Known["DescribeNonsense"] {
		t.Error("the list of known actions is wrong")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"operations":{"A":{"input":{"shape":"S"}}},"shapes":{"S":{"type":"structure","members":{"x":{"shape":"S"}}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := Parse(b); err == nil {
			for _, op := range s.Operations {
				op.Input.Member("x")
			}
		}
	})
}
