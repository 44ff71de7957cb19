package action

import (
	"context"
	"testing"

	"karri/shared/awsmodel"
)

func TestADefinitionThatIsWrongStopsTheProgram(t *testing.T) {
	own := func(f func(c *Catalog[*toy])) (said any) {
		defer func() { said = recover() }()
		f(NewCatalog[*toy]("ec2", awsmodel.EC2()))
		return nil
	}
	type wrongType struct{ VolumeId int }
	type wrongName struct{ VolumeID string }
	type noPointer struct {
		AvailabilityZone string
		Size             int
	}
	for name, f := range map[string]func(*Catalog[*toy]){
		"no On":       func(c *Catalog[*toy]) { Add(c, Def[*toy, deleteVolumeInput, Nothing]{Name: "DeleteVolume", Doc: "X."}) },
		"no sentence": func(c *Catalog[*toy]) { Add(c, def[deleteVolumeInput, Nothing]("DeleteVolume", "X", nil)) },
		"no List": func(c *Catalog[*toy]) {
			Add(c, def[describeVolumesInput, describeVolumesOutput]("DescribeVolumes", "X.", nil))
		},
		"wrong type":   func(c *Catalog[*toy]) { Add(c, def[wrongType, Nothing]("DeleteVolume", "X.", nil)) },
		"wrong name":   func(c *Catalog[*toy]) { Add(c, def[wrongName, Nothing]("DeleteVolume", "X.", nil)) },
		"no pointer":   func(c *Catalog[*toy]) { Add(c, def[noPointer, Nothing]("CreateVolume", "X.", nil)) },
		"no such":      func(c *Catalog[*toy]) { Add(c, def[struct{}, Nothing]("MakeCoffee", "X.", nil)) },
		"no NextToken": func(c *Catalog[*toy]) { Add(c, def[struct{}, Nothing]("DescribeVolumes", "X.", &List{})) },
		"twice": func(c *Catalog[*toy]) {
			Add(c, def[deleteVolumeInput, Nothing]("DeleteVolume", "X.", nil))
			Add(c, def[deleteVolumeInput, Nothing]("DeleteVolume", "X.", nil))
		},
	} {
		if own(f) == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if said := own(func(c *Catalog[*toy]) { Add(c, def[deleteVolumeInput, Nothing]("DeleteVolume", "X.", nil)) }); said != nil {
		t.Error(said)
	}
}

func def[In, Out any](name, doc string, l *List) Def[*toy, In, Out] {
	return Def[*toy, In, Out]{
		Name: name, Doc: doc, List: l, On: Own[*toy, In],
		Run: func(context.Context, *toy, Caller, *In) (*Out, error) { return nil, nil },
	}
}
