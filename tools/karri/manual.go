package main

import (
	"context"
	"encoding/json"
	"fmt"

	"karri/shared/action"
)

// loadManual asks the cloud for all that can be asked of it. It is asked anew
// each time: it takes a few milliseconds, and a cloud that was changed for a
// newer one is known by its own words at once.
func loadManual(ctx context.Context, c *client) ([]action.Manual, error) {
	b, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	var all []action.Manual
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("the catalog of %s: %w", c.endpoint, err)
	}
	return all, nil
}
