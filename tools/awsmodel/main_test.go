package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"karri/shared/awsmodel"
)

func TestTheEmbeddedModelsAreThoseOfTheLists(t *testing.T) {
	for name, model := range map[string]*awsmodel.Service{"ec2": awsmodel.EC2(), "sts": awsmodel.STS()} {
		listed, err := lines(name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(listed)
		if got := slices.Sorted(maps.Keys(model.Operations)); !slices.Equal(got, listed) {
			t.Errorf("%s.txt was changed: run go run ./tools/awsmodel", name)
		}
	}
}

// TestTrimKeepsWhatIsUsed trims a small model by a list and an overlay.
func TestTrimKeepsWhatIsUsed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"api-2.json": `{"metadata":{"apiVersion":"1"},"operations":{"Get":{"input":{"shape":"In"}},"Put":{"input":{"shape":"Other"}}},
			"shapes":{"In":{"type":"structure","documentation":"prose","members":{"a":{"shape":"List"}}},"List":{"type":"list","member":{"shape":"Kind"}},
			"Kind":{"type":"string","enum":["x"]},"Other":{"type":"structure"},"New":{"type":"string"}}}`,
		"paginators-1.json": `{"pagination":{"Get":{"input_token":"NextToken"},"Put":{"result_key":"x"}}}`,
		"s.txt":             "# a comment\nGet\n\n",
		"s.overlay.json":    `{"Open":["Kind"],"Shapes":{"In":{"members":{"b":{"shape":"New"}}}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := trim(dir, filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(f.Shapes)); !slices.Equal(got, []string{"In", "Kind", "List", "New"}) {
		t.Errorf("kept %v", got)
	}
	if len(f.Operations) != 1 || !slices.Equal(f.Known, []string{"Get", "Put"}) || !slices.Equal(f.Paged, []string{"Get"}) || f.Shapes["Kind"].Enum != nil {
		t.Errorf("got %+v", f)
	}
	a, err := pack(f)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := pack(f); err != nil || !bytes.Equal(a, b) {
		t.Error("the same model gives other bytes")
	}
}
