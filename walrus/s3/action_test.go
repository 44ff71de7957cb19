package s3

import (
	"testing"

	"karri/walrus/access"
)

func TestEveryOperationHasAnAction(t *testing.T) {
	for _, o := range operations {
		if !access.Known(o.Action) && o.Action != "s3:CreateBucket" {
			t.Errorf("%s: there is no action %q", o.Name, o.Action)
		}
	}
	for from, to := range versioned {
		if !access.Known(from) || !access.Known(to) {
			t.Errorf("%s, %s: there is no such action", from, to)
		}
	}
}
