package daemon

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"karri/shared/audit"
	"karri/shared/rest"
	"karri/shared/sign"
)

// trailFiles are the files that trails wrote into the buckets of the stand-in
// for walrus.
type trailFiles struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (f *trailFiles) put(_ http.ResponseWriter, r *http.Request) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := rest.Var(r, "key")
	if old, ok := f.all[key]; ok && !bytes.Equal(old, b) {
		return fmt.Errorf("%s is put with other bytes", key)
	}
	f.all[key] = b
	return nil
}

// trail makes a trail with digests, in the words of CloudTrail.
func (c *cloudTest) trail() {
	c.Helper()
	c.persist("a trail", func() error {
		err := c.cloudtrail("CreateTrail", `{"Name":"all","S3BucketName":"events","EnableLogFileValidation":true}`)
		if err != nil && !strings.Contains(err.Error(), "TrailAlreadyExistsException") {
			return err
		}
		return c.cloudtrail("StartLogging", `{"Name":"all"}`)
	})
}

func (c *cloudTest) cloudtrail(action, body string) error {
	r, err := http.NewRequestWithContext(c.Context(), http.MethodPost, "http://"+c.public+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."+action)
	if err := sign.Request(r, c.keys, sign.Scope{Region: "us-east-1", Service: "cloudtrail", At: time.Now()}, ""); err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(string(b))
	}
	return err
}

// trailIsWhole waits until what the user does now is in the files of the trail,
// and sees that each event is there once, and that each digest names the one
// before. What was done in the moment before the crash may be lost, no more.
func (c *cloudTest) trailIsWhole() {
	c.Helper()
	c.persist("a whole trail", func() error {
		if _, err := c.try(values("Action", "DescribeRegions")); err != nil {
			return err
		}
		c.files.mu.Lock()
		defer c.files.mu.Unlock()
		events, names, last := map[string]int{}, map[string]bool{}, 0
		for key, b := range c.files.all {
			if len(b) == 0 {
				continue
			}
			z, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				return err
			}
			var file struct {
				Records []struct{ EventID, EventName string }
				Last    *string `json:"previousDigestS3Object"`
			}
			if err := json.NewDecoder(z).Decode(&file); err != nil {
				return err
			}
			if strings.Contains(key, "CloudTrail-Digest") {
				if file.Last != nil {
					last++
					if c.files.all[*file.Last] == nil {
						c.Errorf("%s names %s, which is not there", key, *file.Last)
					}
				}
				continue
			}
			for _, e := range file.Records {
				names[e.EventName] = true
				if events[e.EventID]++; events[e.EventID] > 1 {
					c.Errorf("the event %s of %s is there twice", e.EventID, e.EventName)
				}
			}
		}
		if !names["DescribeRegions"] || !names["RunInstances"] && !names["TerminateInstances"] || last < 2 {
			return fmt.Errorf("%d events, %v, %d digests", len(events), names, last)
		}
		return nil
	})
}

// oldAudit leaves an audit log that is older than it is to be kept.
func (c *cloudTest) oldAudit() {
	c.Helper()
	l, err := audit.Open(filepath.Join(c.state, "audit"), audit.Options{Daemon: "cloudctl.karri", Segment: 1})
	if err != nil {
		c.Fatal(err)
	}
	for range 3 {
		l.Note(&audit.Line{Time: time.Now().Add(-48 * time.Hour), Service: "karri", Action: "Old", RequestID: "old"})
		if err := l.Flush(c.Context()); err != nil {
			c.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		c.Fatal(err)
	}
}
