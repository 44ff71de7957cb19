package setting

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Notification says who is told about what happens to objects.
type Notification struct {
	XMLName   xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ NotificationConfiguration"`
	Topics    []Subscriber  `xml:"TopicConfiguration,omitempty"`
	Queues    []Subscriber  `xml:"QueueConfiguration,omitempty"`
	Functions []Subscriber  `xml:"CloudFunctionConfiguration,omitempty"`
	Bridge    []unsupported `xml:"EventBridgeConfiguration,omitempty"`
}

// Subscriber is one that is told; exactly one of the ARNs is set.
type Subscriber struct {
	ID       string `xml:"Id,omitempty"`
	Topic    *string
	Queue    *string
	Function *string     `xml:"CloudFunction"`
	Events   []string    `xml:"Event"`
	Filter   *KeysFilter `xml:"Filter"`
}

// KeysFilter narrows a subscription to some keys.
type KeysFilter struct {
	Key KeyRules `xml:"S3Key"`
}

// KeyRules are at most a prefix and a suffix.
type KeyRules struct {
	Rules []KeyRule `xml:"FilterRule,omitempty"`
}

// KeyRule is one of them.
type KeyRule struct {
	Name  string
	Value string
}

// maxSubscribers is S3's limit.
const maxSubscribers = 100

// services are those of ARNs, by the element that names one.
var services = map[string]string{"sns": "Topic", "sqs": "Queue", "lambda": "CloudFunction"}

// events are the names that can be subscribed to.
var events = strings.Fields(`s3:TestEvent
	s3:ObjectCreated:* s3:ObjectCreated:Put s3:ObjectCreated:Post s3:ObjectCreated:Copy s3:ObjectCreated:CompleteMultipartUpload
	s3:ObjectRemoved:* s3:ObjectRemoved:Delete s3:ObjectRemoved:DeleteMarkerCreated
	s3:ObjectRestore:* s3:ObjectRestore:Post s3:ObjectRestore:Completed s3:ObjectRestore:Delete s3:ReducedRedundancyLostObject
	s3:Replication:* s3:Replication:OperationFailedReplication s3:Replication:OperationNotTracked
	s3:Replication:OperationMissedThreshold s3:Replication:OperationReplicatedAfterThreshold
	s3:LifecycleExpiration:* s3:LifecycleExpiration:Delete s3:LifecycleExpiration:DeleteMarkerCreated
	s3:LifecycleTransition s3:IntelligentTiering s3:ObjectAcl:Put
	s3:ObjectTagging:* s3:ObjectTagging:Put s3:ObjectTagging:Delete`)

// ARN returns the target that is told.
func (s *Subscriber) ARN() string {
	for _, a := range []*string{s.Topic, s.Queue, s.Function} {
		if a != nil {
			return *a
		}
	}
	return ""
}

// All returns all subscribers.
func (n *Notification) All() []*Subscriber {
	if n == nil {
		return nil
	}
	var all []*Subscriber
	for _, list := range [][]Subscriber{n.Topics, n.Queues, n.Functions} {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}

// For returns who is told about an event ("s3:ObjectCreated:Put") at a key.
func (n *Notification) For(event, key string) []*Subscriber {
	var told []*Subscriber
	for _, s := range n.All() {
		prefix, suffix := s.affixes()
		if strings.HasPrefix(key, prefix) && strings.HasSuffix(key, suffix) && slices.ContainsFunc(s.Events, func(e string) bool { return covers(e, event) }) {
			told = append(told, s)
		}
	}
	return told
}

// covers reports whether a name, which may end in *, means an event.
func covers(name, event string) bool {
	class, all := strings.CutSuffix(name, "*")
	return name == event || all && strings.HasPrefix(event, class)
}

// affixes returns the prefix and the suffix of the filter.
func (s *Subscriber) affixes() (prefix, suffix string) {
	if s.Filter == nil {
		return "", ""
	}
	for _, r := range s.Filter.Key.Rules {
		if strings.EqualFold(r.Name, "prefix") {
			prefix = r.Value
		} else {
			suffix = r.Value
		}
	}
	return prefix, suffix
}

// Check refuses ARNs that the administrator did not name, or not for the
// account.
func (n *Notification) Check(targets EventTargets, account string) error {
	for _, s := range n.All() {
		if _, ok := targets.Target(s.ARN(), account); !ok {
			return invalidArgument("Unable to validate the following destination configurations: %s", s.ARN())
		}
	}
	return nil
}

func (n *Notification) validate() error {
	if len(n.Bridge) > 0 {
		return notImplemented("EventBridge is not implemented.")
	}
	all := n.All()
	if len(all) > maxSubscribers {
		return invalidArgument("The number of notification configurations should not exceed allowed limit of %d.", maxSubscribers)
	}
	ids := map[string]bool{}
	for i, s := range all {
		element := "Topic"
		if i >= len(n.Topics) {
			element = "Queue"
		}
		if i >= len(n.Topics)+len(n.Queues) {
			element = "CloudFunction"
		}
		if err := s.validate(element); err != nil {
			return err
		}
		if s.ID != "" && ids[s.ID] {
			return invalidArgument("Same ID used for multiple configurations. IDs must be unique")
		}
		ids[s.ID] = true
		for _, other := range all[:i] {
			if err := s.overlap(other); err != nil {
				return err
			}
		}
	}
	for i, s := range all {
		for k := i; s.ID == ""; k++ {
			if id := fmt.Sprintf("notification-%d", k+1); !ids[id] {
				s.ID, ids[id] = id, true
			}
		}
	}
	return nil
}

func (s *Subscriber) validate(element string) error {
	n := 0
	for _, a := range []*string{s.Topic, s.Queue, s.Function} {
		if a != nil {
			n++
		}
	}
	named := map[string]*string{"Topic": s.Topic, "Queue": s.Queue, "CloudFunction": s.Function}[element]
	if n != 1 || named == nil {
		return MalformedXML
	}
	if a, ok := parseARN(*named); !ok || services[a.service] != element {
		return invalidArgument("The ARN is not well formed")
	}
	if err := longID(s.ID); err != nil {
		return err
	}
	var once []string // each, so that there are few
	for _, e := range s.Events {
		e = strings.TrimSpace(e)
		if !slices.Contains(events, e) {
			return invalidArgument("The event is not supported for notifications")
		}
		if !slices.Contains(once, e) {
			once = append(once, e)
		}
	}
	s.Events = once
	if s.Filter == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, r := range s.Filter.Key.Rules {
		name := strings.ToLower(r.Name)
		switch {
		case name != "prefix" && name != "suffix":
			return invalidArgument("filter rule name must be either prefix or suffix")
		case seen[name]:
			return invalidArgument("Cannot specify more than one %s rule in a filter.", name)
		case len(r.Value) > 1024:
			return invalidArgument("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation")
		}
		seen[name] = true
	}
	return nil
}

// overlap refuses two subscriptions that one event at one key could reach.
func (s *Subscriber) overlap(o *Subscriber) error {
	shared := slices.ContainsFunc(s.Events, func(a string) bool {
		return slices.ContainsFunc(o.Events, func(b string) bool { return covers(a, b) || covers(b, a) })
	})
	p, x := s.affixes()
	q, y := o.affixes()
	switch {
	case !shared,
		!strings.HasPrefix(p, q) && !strings.HasPrefix(q, p),
		!strings.HasSuffix(x, y) && !strings.HasSuffix(y, x):
		return nil
	case p+q+x+y == "":
		return invalidArgument("Configurations overlap. Configurations on the same bucket cannot share a common event type.")
	}
	return invalidArgument("Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.")
}
