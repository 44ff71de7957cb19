package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/term"

	"karri/shared/action"
)

// columns names what a table shows of a noun; the first is its id. Nouns that
// are not listed show all plain members.
var columns = map[string][]string{
	"instance":  {"InstanceId", "Tags.Name", "State.Name", "InstanceType", "PrivateIpAddress", "PublicIpAddress", "Placement.AvailabilityZone", "LaunchTime"},
	"image":     {"ImageId", "Name", "State", "Architecture", "ImageLocation", "CreationDate"},
	"volume":    {"VolumeId", "Tags.Name", "State", "Size", "SnapshotId", "AvailabilityZone", "CreateTime"},
	"snapshot":  {"SnapshotId", "Tags.Name", "State", "Progress", "VolumeId", "VolumeSize", "StartTime"},
	"key":       {"KeyName", "KeyPairId", "KeyType", "KeyFingerprint"},
	"group":     {"GroupId", "GroupName", "VpcId", "Description"},
	"rule":      {"SecurityGroupRuleId", "GroupId", "IsEgress", "IpProtocol", "FromPort", "ToPort", "CidrIpv4", "ReferencedGroupInfo.GroupId"},
	"address":   {"AllocationId", "PublicIp", "InstanceId", "PrivateIpAddress", "AssociationId"},
	"zone":      {"ZoneName", "State", "RegionName"},
	"type":      {"InstanceType", "VCpuInfo.DefaultVCpus", "MemoryInfo.SizeInMiB", "InstanceStorageInfo.TotalSizeInGB"},
	"vpc":       {"VpcId", "CidrBlock", "IsDefault", "State"},
	"subnet":    {"SubnetId", "VpcId", "CidrBlock", "AvailabilityZone", "AvailableIpAddressCount"},
	"audit":     {"Time", "Daemon", "Who", "Claimed", "Service", "Action", "On.0", "Code", "RequestId"},
	"bucket":    {"BucketName", "AccountId", "Created", "Versioning", "Objects", "Bytes", "MaxObjects", "MaxBytes", "Settings"},
	"interface": {"NetworkInterfaceId", "Status", "PrivateIpAddress", "Attachment.InstanceId", "MacAddress", "SubnetId"},
}

// print writes an answer as the settings ask.
func (s *settings) print(w io.Writer, noun string, page action.ManualPage, out map[string]any) error {
	if s.output == "json" {
		b, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(w, string(b))
		return err
	}
	if s.output == "env" {
		return s.printEnv(w, out)
	}
	if s.output != "table" {
		return usageError{fmt.Errorf("--output is table, json or env, not %q", s.output)}
	}
	rows := rowsOf(page, out)
	for i := range rows {
		rows[i] = readable(rows[i])
	}
	if page.Name == "GetCredentialReport" {
		_, err := fmt.Fprint(w, at(rows[0], "Content"))
		return err
	}
	field := s.field
	if s.idOnly {
		field = idColumn(noun, page, rows)
	}
	if field != "" {
		for _, r := range rows {
			if v := at(r, field); v != "" {
				fmt.Fprintln(w, v)
			}
		}
		return nil
	}
	writeTable(w, noun, rows)
	return nil
}

// printEnv writes new credentials in the form of admin.env, for account create.
// Where the answer does not say where the cloud is, it is where it was asked.
func (s *settings) printEnv(w io.Writer, out map[string]any) error {
	out = credentialsOf(out)
	if at(out, "SecretAccessKey") == "" {
		return usageError{errors.New("--output env is for what answers with credentials, such as karri account create")}
	}
	here, _ := loadProfile(s.profile)
	for _, kv := range [][3]string{
		{envAccessKey, "AccessKeyId"}, {envSecret, "SecretAccessKey"}, {envToken, "SessionToken"}, {envRegion, "Region", here.region},
		{envEndpoint, "Endpoint", cmp.Or(s.endpoint, here.endpoint)}, {envEndpointS3, "EndpointS3", here.endpointS3},
	} {
		if v := cmp.Or(at(out, kv[1]), kv[2]); v != "" {
			fmt.Fprintf(w, "export %s='%s'\n", kv[0], v)
		}
	}
	if ca := os.Getenv(envCABundle); ca != "" {
		fmt.Fprintf(w, "export %s='%s'\n", envCABundle, ca)
	}
	return nil
}

// rowsOf returns the things that an answer is about: the elements of the list
// that it is there for (reservations give their instances), else the answer
// itself.
func rowsOf(page action.ManualPage, out map[string]any) []map[string]any {
	if rows := counted(page, out); rows != nil {
		return rows
	}
	list := mainList(page)
	if list == "" {
		if len(out) == 0 {
			return nil
		}
		return []map[string]any{flat(inner(out))}
	}
	items, _ := out[list].([]any)
	rows := []map[string]any{}
	for _, it := range items {
		m, ok := it.(map[string]any)
		if !ok {
			m = map[string]any{list: it}
		}
		if list != "Reservations" {
			rows = append(rows, m)
			continue
		}
		inner, _ := m["Instances"].([]any)
		for _, i := range inner {
			if row, ok := i.(map[string]any); ok {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// mainList names the list that an answer is there for: the first of a Describe
// or List, and the instances of what acts on instances.
func mainList(page action.ManualPage) string {
	if page.Name == "GetGroup" {
		return "Users"
	}
	verb := firstWord(page.Name)
	listing := verb == "Describe" || verb == "List" || verb == "Search" || verb == "Verify"
	for _, l := range page.Lists {
		if listing || strings.HasSuffix(l, "Instances") {
			return l
		}
	}
	return ""
}

func idColumn(noun string, page action.ManualPage, rows []map[string]any) string {
	if c := columns[noun]; c != nil && (len(rows) == 0 || at(rows[0], c[0]) != "") {
		return c[0]
	}
	for _, p := range page.Answer {
		if strings.HasSuffix(p.Name, "Id") {
			return p.Name
		}
	}
	return "Id"
}

func writeTable(w io.Writer, noun string, rows []map[string]any) {
	if len(rows) == 0 {
		return
	}
	cols := columns[noun]
	if cols == nil || at(rows[0], cols[0]) == "" || len(filled(rows[0], cols)) < 2 {
		cols = plain(rows)
	}
	cols = slices.DeleteFunc(slices.Clone(cols), func(c string) bool { // which is seldom there
		return c == "Claimed" && !slices.ContainsFunc(rows, func(r map[string]any) bool { return at(r, c) != "" })
	})
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder, t.Style().Options.SeparateColumns, t.Style().Options.SeparateHeader = false, false, false
	t.SetOutputMirror(w)
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		t.SetAllowedRowLength(width)
	}
	header := table.Row{}
	for _, c := range cols {
		header = append(header, heading(c))
	}
	t.AppendHeader(header)
	for _, r := range rows {
		line := table.Row{}
		for _, c := range cols {
			line = append(line, at(r, c))
		}
		t.AppendRow(line)
	}
	t.Render()
}

// filled returns the columns of which a row has something: one that has its id
// alone is about something else, such as a policy of a user.
func filled(row map[string]any, cols []string) []string {
	return slices.DeleteFunc(slices.Clone(cols), func(c string) bool { return at(row, c) == "" })
}

// headings mends the words whose capitals do not show where they end.
var headings = strings.NewReplacer("v cpus", "vcpus", "gi b", "gib", "mi b", "mib", "vpc id", "vpc")

// heading makes STATE of State.Name and NAME of Tags.Name.
func heading(column string) string {
	head, tail, ok := strings.Cut(column, ".")
	if ok && tail != "0" && (head == "Tags" || tail != "Name") {
		head = tail[strings.LastIndexByte(tail, '.')+1:]
	}
	return headings.Replace(strings.ReplaceAll(kebab(head), "-", " "))
}

// plain returns the members that hold no lists or structures, in any row.
func plain(rows []map[string]any) []string {
	var cols []string
	for _, r := range rows {
		for k, v := range r {
			switch v.(type) {
			case map[string]any, []any, nil:
			default:
				if !slices.Contains(cols, k) {
					cols = append(cols, k)
				}
			}
		}
	}
	slices.Sort(cols)
	return cols
}

// at returns the text at a way into a row: State.Name, Tags.Name (the value of
// the tag Name), Attachments.0.State. What is not there is "".
func at(v any, way string) string {
	for part := range strings.SplitSeq(way, ".") {
		switch t := v.(type) {
		case map[string]any:
			v = t[part]
		case []any:
			v = element(t, part)
		default:
			return ""
		}
	}
	switch t := v.(type) {
	case nil:
		return ""
	case map[string]any, []any:
		b, err := json.Marshal(t)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

func element(list []any, part string) any {
	for i, e := range list {
		if m, ok := e.(map[string]any); ok && m["Key"] == part {
			return m["Value"]
		}
		if fmt.Sprint(i) == part {
			return e
		}
	}
	return nil
}
