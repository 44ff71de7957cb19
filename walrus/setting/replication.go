package setting

import (
	"encoding/xml"
	"fmt"
	"slices"
)

// Replication says which new objects are copied to buckets at other endpoints.
type Replication struct {
	XMLName xml.Name          `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ReplicationConfiguration"`
	Role    string            // S3 wants one; here the administrator's target says who writes
	Rules   []ReplicationRule `xml:"Rule"`
}

// ReplicationRule is one rule.
type ReplicationRule struct {
	ID          string `xml:",omitempty"`
	Priority    *int
	Prefix      *string // of rules of the first kind, which had no Filter
	Filter      *Filter
	Status      Switch
	Source      []unsupported `xml:"SourceSelectionCriteria,omitempty"`
	Existing    *Wish         `xml:"ExistingObjectReplication"`
	Destination ReplicationDestination
	Markers     *Wish `xml:"DeleteMarkerReplication"`
}

// Wish is a status that S3 wraps in an element.
type Wish struct {
	Status Switch
}

// ReplicationDestination is where copies go.
type ReplicationDestination struct {
	ARN          string        `xml:"Bucket"` // see ReplicationTargets
	Account      []unsupported `xml:",omitempty"`
	StorageClass *StorageClass
	Owner        []unsupported `xml:"AccessControlTranslation,omitempty"`
	Encryption   []unsupported `xml:"EncryptionConfiguration,omitempty"`
	Time         []unsupported `xml:"ReplicationTime,omitempty"`
	Metrics      []unsupported `xml:",omitempty"`
}

// A StorageClass is the one class that there is.
type StorageClass string

func (StorageClass) values() string { return "STANDARD" }

func (r *Replication) validate() error {
	ids, ranks := map[string]bool{}, map[int]bool{}
	for i := range r.Rules {
		rule := &r.Rules[i]
		if err := rule.validate(); err != nil {
			return err
		}
		if rule.ID != "" && ids[rule.ID] {
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule")
		}
		if rule.Priority != nil && ranks[*rule.Priority] {
			return invalidArgument("Rule priorities must be unique. Found same priority %d for more than one rule", *rule.Priority)
		}
		if (rule.Filter == nil) != (r.Rules[0].Filter == nil) {
			return invalidRequest("Rules of both versions of the replication schema cannot be in one configuration.")
		}
		ids[rule.ID] = true
		if rule.Priority != nil {
			ranks[*rule.Priority] = true
		}
	}
	for i := range r.Rules {
		for n := i; r.Rules[i].ID == ""; n++ {
			if id := fmt.Sprintf("rule-%d", n+1); !ids[id] {
				r.Rules[i].ID, ids[id] = id, true
			}
		}
	}
	return nil
}

func (r *ReplicationRule) validate() error {
	to := r.Destination
	f := r.filter()
	switch {
	case len(r.Source)+len(to.Account)+len(to.Owner)+len(to.Encryption)+len(to.Time)+len(to.Metrics) > 0:
		return notImplemented("Of replication, SourceSelectionCriteria and a Destination's Account, AccessControlTranslation, EncryptionConfiguration, ReplicationTime and Metrics are not implemented.")
	case r.Existing != nil && r.Existing.Status == Enabled:
		return notImplemented("Replication of objects that are there already is not implemented.")
	case (r.Prefix == nil) == (r.Filter == nil):
		return MalformedXML
	case r.Filter != nil && r.Priority == nil:
		return invalidRequest("Priority must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.")
	case r.Filter != nil && r.Markers == nil:
		return invalidRequest("DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.")
	case r.Filter == nil && (r.Priority != nil || r.Markers != nil):
		return invalidRequest("Priority and DeleteMarkerReplication cannot be used for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.")
	case r.Priority != nil && *r.Priority < 0:
		return MalformedXML
	case r.Prefix != nil && len(*r.Prefix) > 1024:
		return invalidRequest("The maximum size of a prefix is 1024.")
	case len(f.Tags) > 0 && r.Markers.Status == Enabled:
		return invalidRequest("Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information.")
	case f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil:
		return MalformedXML
	}
	if a, ok := parseARN(to.ARN); !ok || a.service != "s3" {
		return invalidArgument("Invalid bucket ARN.")
	}
	if err := longID(r.ID); err != nil {
		return err
	}
	return r.Filter.validate()
}

func (r *ReplicationRule) filter() And {
	if r.Filter == nil {
		return And{Prefix: r.Prefix}
	}
	return r.Filter.all()
}

// Check refuses destinations that the administrator did not name, or not for
// the account.
func (r *Replication) Check(targets ReplicationTargets, account string) error {
	for _, rule := range r.Rules {
		if _, ok := targets.Of(rule.Destination.ARN, account); !ok {
			return invalidRequest("Destination bucket must exist.")
		}
	}
	return nil
}

// For returns the rules by which an object that was just made, or a delete
// marker, is copied: of those for one destination the one of the highest
// priority.
func (r *Replication) For(key string, tags []Tag, marker bool) []*ReplicationRule {
	if r == nil {
		return nil
	}
	var all []*ReplicationRule
	for i := range r.Rules {
		if rule := &r.Rules[i]; rule.Status == Enabled && rule.filter().matches(key, -1, tags) {
			all = append(all, rule)
		}
	}
	slices.SortStableFunc(all, func(a, b *ReplicationRule) int { return b.rank() - a.rank() })
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(rule *ReplicationRule) bool {
		again := seen[rule.Destination.ARN]
		seen[rule.Destination.ARN] = true
		return again || marker && !rule.markers()
	})
}

func (r *ReplicationRule) rank() int {
	if r.Priority == nil {
		return 0
	}
	return *r.Priority
}

// markers reports whether delete markers are copied: rules of the first kind
// always do.
func (r *ReplicationRule) markers() bool { return r.Markers == nil || r.Markers.Status == Enabled }
