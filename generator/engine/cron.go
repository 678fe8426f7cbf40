package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/bits"
	"strings"
	"time"
	_ "time/tzdata" // for machines without a time zone database

	"github.com/robfig/cron/v3"
	"tenantry.io/wire"
)

// In 28 years every date falls on every day of the week, including leap days and the Sundays of DST changes, so they
// cover everything a schedule ever does. The years are fixed, and so is the answer.
const (
	firstYear = 2025
	years     = 28
	// mostRuns ends the walk over a schedule that runs each minute after more than a year.
	mostRuns = 600_000
	// maxSteps ends a request of schedules that all run often, in zones that change their clocks: half a minute's work.
	maxSteps = 15_000_000
)

// refusal says why a text of an operator's language can't be used. The client acts on the kind.
type refusal struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// Kinds of refusals.
const (
	kindSyntax = "syntax" // the operator's parser rejects the text
	kindNever  = "never"  // a schedule on days that no year has
	kindZone   = "zone"   // an unknown time zone
	kindLarge  = "large"  // over a limit
)

// cronText is a schedule as an object holds it: five fields, or six with the seconds first. A time zone in the text
// (CRON_TZ=) overrides `zone`; without either it is UTC.
type cronText struct {
	Text    string `json:"text"`
	Seconds bool   `json:"seconds"`
	Zone    string `json:"zone"`
}

// interval is how often a schedule runs.
type interval struct {
	Longest float64  `json:"longest_seconds"` // the largest gap between two runs
	Yearly  float64  `json:"runs_a_year"`     // on average
	Problem *refusal `json:"problem,omitempty"`
}

// intervals follows schedules through the years; the answers are in their order.
func intervals(ctx context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Schedules []cronText `json:"schedules"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	found := make([]interval, len(input.Schedules))
	left := maxSteps
	for i, text := range input.Schedules {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		found[i] = text.interval(&left)
	}
	return map[string]any{"intervals": found}, nil
}

// interval follows one schedule; its steps are taken from those that are left.
func (c cronText) interval(left *int) interval {
	zone, err := time.LoadLocation(c.Zone)
	if err == nil && zone == time.Local {
		err = errors.New("a schedule can't use the machine's local time zone")
	}
	if err != nil {
		return interval{Problem: &refusal{kindZone, err.Error()}}
	}
	parsed, err := parseCron(c.Text, c.Seconds)
	if err != nil {
		return interval{Problem: &refusal{kindSyntax, err.Error()}}
	}
	if neverRuns(parsed) {
		return interval{Problem: &refusal{kindNever, errNeverRuns.Error()}}
	}
	if *left <= 0 {
		return interval{Problem: &refusal{kindLarge, "too many schedules that run often to follow them all"}}
	}
	return follow(parsed, zone, left)
}

// CloudNativePG parses with seconds first (api/v1, ScheduledBackup webhook); cron.Parse would also take five fields
// and then read the first one as seconds, which runs a nightly backup hourly.
var sixFields = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// parseCron reads six fields, or, as Velero, Argo CD, KEDA and the CronJob controller do, five.
func parseCron(text string, seconds bool) (cron.Schedule, error) {
	if (strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=")) && !strings.Contains(text, " ") {
		return nil, errors.New("nothing follows the time zone") // the library would panic
	}
	if seconds {
		return sixFields.Parse(text)
	}
	return cron.ParseStandard(text)
}

var errNeverRuns = errors.New("it never runs: no year has such a day")

// neverRuns reports fields that no time matches, such as 31 February; the library looks five years ahead.
func neverRuns(schedule cron.Schedule) bool {
	fields, ok := schedule.(*cron.SpecSchedule)
	if !ok {
		return false
	}
	if fields.Second == 0 || fields.Minute == 0 || fields.Hour == 0 { // `,` alone; the library would try each second
		return true
	}
	return fields.Next(time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero()
}

// follow walks from run to run. Runs within one minute are counted, not walked.
func follow(schedule cron.Schedule, zone *time.Location, left *int) interval {
	fields, ok := schedule.(*cron.SpecSchedule)
	if !ok {
		each := schedule.(cron.ConstantDelaySchedule).Delay.Seconds()
		return interval{Longest: each, Yearly: yearSeconds / each}
	}
	if fields.Location != time.Local {
		zone = fields.Location
	}
	inside := seconds(fields.Second)
	minutely := *fields
	minutely.Second, minutely.Location = 1<<inside.first, time.Local // the library then uses the zone of the time it is given
	start := time.Date(firstYear, 1, 1, 0, 0, 0, 0, zone)
	end := start.AddDate(years, 0, 0)
	if everyDay(fields) && !changesClocks(start, end) {
		end = start.AddDate(0, 0, 3) // every day is the same
	}
	steps := steady{zone: zone}
	last, longest, runs := minutely.Next(start.Add(-time.Second)), time.Duration(0), 1
	for ; runs < mostRuns; runs++ {
		next := steps.next(&minutely, last)
		if next.IsZero() || !next.Before(end) {
			break
		}
		longest = max(longest, next.Sub(last))
		last = next
	}
	if runs == mostRuns {
		end = last
	}
	*left -= runs
	across := longest.Seconds() - float64(inside.last-inside.first)
	return interval{
		Longest: max(across, float64(inside.gap)),
		Yearly:  float64(runs*inside.count) / end.Sub(start).Seconds() * yearSeconds,
	}
}

// steady steps from run to run. Far from a change of clocks it does so in a zone that has none, which gives the same and
// is many times as fast.
type steady struct {
	zone, fixed *time.Location
	from, until time.Time
}

func (s *steady) next(schedule *cron.SpecSchedule, last time.Time) time.Time {
	const apart = 48 * time.Hour
	if s.fixed == nil || last.Before(s.from) || !last.Before(s.until) {
		there := last.In(s.zone)
		_, offset := there.Zone()
		s.fixed = time.FixedZone("", offset)
		s.from, s.until = there.ZoneBounds()
		if s.until.IsZero() {
			s.until = there.AddDate(years, 0, 0)
		}
	}
	if last.After(s.from.Add(apart)) {
		if next := schedule.Next(last.In(s.fixed)); !next.IsZero() && next.Before(s.until.Add(-apart)) {
			return next
		}
	}
	return schedule.Next(last.In(s.zone))
}

const yearSeconds = 365.2425 * 24 * 3600

// secondsField is what a field of seconds says about the runs inside of one minute.
type secondsField struct{ first, last, gap, count int }

func seconds(field uint64) secondsField {
	field &= 1<<60 - 1
	found := secondsField{bits.TrailingZeros64(field), 63 - bits.LeadingZeros64(field), 0, bits.OnesCount64(field)}
	previous := found.first
	for second := found.first; second <= found.last; second++ {
		if field>>second&1 == 1 {
			found.gap = max(found.gap, second-previous)
			previous = second
		}
	}
	return found
}

// everyDay reports whether a schedule runs on every day.
func everyDay(fields *cron.SpecSchedule) bool {
	const days, months, weekdays = 1<<32 - 2, 1<<13 - 2, 1<<7 - 1
	return fields.Dom&days == days && fields.Month&months == months && fields.Dow&weekdays == weekdays
}

func changesClocks(start, end time.Time) bool {
	_, until := start.ZoneBounds()
	return !until.IsZero() && until.Before(end)
}
