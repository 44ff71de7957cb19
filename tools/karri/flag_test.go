package main

import (
	"encoding/json"
	"testing"

	"github.com/spf13/pflag"

	"karri/shared/action"
)

func TestFlagsBecomeParameters(t *testing.T) {
	page := action.ManualPage{DryRun: true, Filters: []string{"tag"}, Params: []action.Param{
		{Name: "ImageId", Type: "string", Required: true},
		{Name: "MinCount", Type: "integer"},
		{Name: "UserData", Type: "string"},
		{Name: "EbsOptimized", Type: "boolean"},
		{Name: "SecurityGroupIds", Type: "list", Element: "string"},
		{Name: "Placement", Type: "structure", Parts: []action.Param{{Name: "AvailabilityZone", Type: "string"}, {Name: "Index", Type: "integer"}}},
		{Name: "Filters", Type: "list"},
		{Name: "TagSpecifications", Type: "list"},
	}}
	fs := pflag.NewFlagSet("x", pflag.ContinueOnError)
	addFlags(fs, page)
	err := fs.Parse([]string{"--image-id", "ami-1", "--min-count", "2", "--user-data", "hi", "--ebs-optimized", "--security-group-ids", "sg-1", "--security-group-ids", "sg-2",
		"--placement", "availability-zone=z,Index=3", "--filter", "tag:a=b,c", "--tag", "Name=web", "--dry-run"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := params(fs, page, "instance")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(got)
	want := `{"DryRun":true,"EbsOptimized":true,"Filters":[{"Name":"tag:a","Values":["b","c"]}],"ImageId":"ami-1","MinCount":2,"Placement":{"AvailabilityZone":"z","Index":3},"SecurityGroupIds":["sg-1","sg-2"],"TagSpecifications":[{"ResourceType":"instance","Tags":[{"Key":"Name","Value":"web"}]}],"UserData":"aGk="}`
	if err != nil || string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
}

func TestAWrongValueIsRefusedBeforeItIsSent(t *testing.T) {
	page := action.ManualPage{Params: []action.Param{{Name: "Count", Type: "integer"}, {Name: "Spot", Type: "structure", Parts: []action.Param{{Name: "A", Type: "string"}}}, {Name: "Filters", Type: "list"}}}
	for _, args := range [][]string{{"--count", "two"}, {"--spot", "b=1"}, {"--spot", "{"}, {"--filter", "nothing"}} {
		fs := pflag.NewFlagSet("x", pflag.ContinueOnError)
		addFlags(fs, page)
		if err := fs.Parse(args); err != nil {
			t.Fatal(err)
		}
		if got, err := params(fs, page, "x"); err == nil {
			t.Errorf("%v gives %v", args, got)
		}
	}
}
