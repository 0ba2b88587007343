/**
 * Seconds since 1970 to the Gregorian calendar and back, without the host's Date: the real-time clock must not
 * depend on the host. Days are counted from 0000-03-01, so that a leap day is the last day of its year.
 */
export interface CivilTime {
  readonly year: number;
  /** 1 .. 12. */
  readonly month: number;
  /** 1 .. 31. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const DAY_SECONDS = 86_400;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_DAYS = 719_468;
const ERA_DAYS = 146_097;

/** The calendar time, with the weekday (0 = Sunday). */
export function civilFromSeconds(seconds: number): CivilTime & { readonly weekday: number } {
  const daysSinceEpoch = Math.floor(seconds / DAY_SECONDS);
  const inDay = seconds - daysSinceEpoch * DAY_SECONDS;
  const days = daysSinceEpoch + EPOCH_DAYS;
  const era = Math.floor(days / ERA_DAYS);
  const dayOfEra = days - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    hour: Math.floor(inDay / 3600),
    minute: Math.floor(inDay / 60) % 60,
    second: inDay % 60,
    weekday: (((daysSinceEpoch + 4) % 7) + 7) % 7,
  };
}

/** Seconds since 1970 of a calendar time; fields beyond their range carry over. */
export function secondsFromCivil(time: CivilTime): number {
  const year = time.month <= 2 ? time.year - 1 : time.year;
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const marchMonth = (time.month + 9) % 12;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + time.day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  const days = era * ERA_DAYS + dayOfEra - EPOCH_DAYS;
  return days * DAY_SECONDS + time.hour * 3600 + time.minute * 60 + time.second;
}
