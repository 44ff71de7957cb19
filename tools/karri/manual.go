package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"karri/shared/action"
)

// manualAge is how long what a cloud can be asked is believed without asking
// it again; the cloud itself refuses what it no longer has.
const manualAge = time.Hour

// loadManual returns the services of the cloud: from a file of the user's
// cache that is not too old, else from the cloud.
func loadManual(ctx context.Context, c *client) ([]action.Manual, error) {
	var all []action.Manual
	file := manualFile(c.endpoint)
	if st, err := os.Stat(file); err == nil && time.Since(st.ModTime()) < manualAge {
		if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &all) == nil {
			return all, nil
		}
	}
	b, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("the catalog of %s: %w", c.endpoint, err)
	}
	if file != "" && os.MkdirAll(filepath.Dir(file), 0o700) == nil {
		_ = renameio.WriteFile(file, b, 0o600) // without the file the next call asks again
	}
	return all, nil
}

func manualFile(endpoint string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(endpoint))
	return filepath.Join(dir, "karri", "catalog-"+hex.EncodeToString(sum[:8])+".json")
}
