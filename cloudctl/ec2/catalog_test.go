package ec2

import "testing"

func TestThereAreActions(t *testing.T) {
	if len(Catalog.All()) == 0 {
		t.Error("the catalog is empty")
	}
}
