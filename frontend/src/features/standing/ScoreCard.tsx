import type { Standing } from "@/api/key-holder";
import { Card } from "@/components/ui/Card";
import { Expected } from "@/components/ui/Moment";
import { plural } from "@/components/ui/format";
import classes from "./ScoreCard.module.css";
import { HIGHEST_TIER } from "./tiers";

const PARTS = [
  {
    key: "recent",
    name: "Recent seeding",
    meaning: "What you've seeded lately.",
  },
  {
    key: "average",
    name: "Average seeding",
    meaning: "The same, over a longer period.",
  },
  { key: "length", name: "Days seeded", meaning: "The number of days on which you seeded, however much." },
] as const;

function fading(days: number): string {
  return `It fades by half every ${plural(days, "day")}.`;
}

/** The tier, the score against the thresholds of the tiers, and the parts of the score. */
export function ScoreCard({ standing }: { standing: Standing }) {
  const { maximum, parts, half_life_days, next_tier } = standing;
  const full = maximum.recent + maximum.average + maximum.length;
  const missing = next_tier === null ? 0 : next_tier.score_needed - standing.score;
  return (
    <Card>
      <div className={classes.card}>
        <div className={classes.tier}>
          <Ladder tier={standing.tier} />
          <div>
            <h2 className={classes.name}>{capitalized(standing.tier_name)}</h2>
            <p className={classes.soft}>
              Tier {standing.tier} of {HIGHEST_TIER}
            </p>
          </div>
        </div>
        <ScoreBar score={standing.score} full={full} thresholds={standing.thresholds} />
        <div className={classes.parts}>
          {PARTS.map(({ key, name, meaning }) => (
            <Part
              key={key}
              name={name}
              meaning={`${meaning} ${fading(half_life_days[key])}`}
              value={parts[key]}
              maximum={maximum[key]}
            />
          ))}
          <Part
            name="Conduct"
            meaning={`The share of your snatches that you kept seeding. The rest of your score is multiplied by it. ${fading(half_life_days.conduct)}`}
            value={parts.conduct}
            maximum={1}
            percent
          />
        </div>
        <div className={classes.raise}>
          <h3>
            {next_tier === null
              ? "You've reached the top tier"
              : `How to reach tier ${next_tier.tier}, ${next_tier.tier_name}`}
          </h3>
          {next_tier === null ? (
            <p>Your client is given every seeder straight away. Keep seeding to keep it that way.</p>
          ) : (
            <p>
              {missing > 0 &&
                `You need ${points(next_tier.score_needed)} points, ${points(missing)} more than you have. `}
              {next_tier.advice}
              {next_tier.expected_at !== null && (
                <>
                  {" "}
                  At this rate you'll get there <Expected at={next_tier.expected_at} />.
                </>
              )}
            </p>
          )}
        </div>
      </div>
    </Card>
  );
}

/** Five bars, filled up to the tier. */
function Ladder({ tier }: { tier: number }) {
  return (
    <svg
      className={classes.ladder}
      viewBox="0 0 46 40"
      width="58"
      height="50"
      aria-hidden="true"
      focusable="false"
    >
      {Array.from({ length: HIGHEST_TIER + 1 }, (_, rung) => (
        <rect
          key={rung}
          x={rung * 9.5}
          y={32 - rung * 8}
          width="7"
          height={8 + rung * 8}
          rx="2"
          data-reached={rung <= tier || undefined}
        />
      ))}
    </svg>
  );
}

function ScoreBar({
  score,
  full,
  thresholds,
}: {
  score: number;
  full: number;
  thresholds: Record<string, number>;
}) {
  const marks = Object.entries(thresholds).toSorted(([, a], [, b]) => a - b);
  return (
    <div className={classes.score}>
      <p className={classes.points}>
        <strong>{points(score)}</strong> of {points(full)} points
      </p>
      <div
        role="meter"
        aria-label="Score"
        aria-valuenow={Math.round(score * 10) / 10}
        aria-valuemin={0}
        aria-valuemax={full}
        className={classes.track}
      >
        <div className={classes.fill} style={{ width: share(score, full) }} />
        {marks.map(([tier, needed]) => (
          <i key={tier} className={classes.mark} style={{ insetInlineStart: share(needed, full) }} />
        ))}
      </div>
      <div className={classes.scale}>
        {marks.map(([tier, needed]) => (
          <span key={tier} style={{ insetInlineStart: share(needed, full) }}>
            <b>Tier {tier}</b> {points(needed)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface PartProps {
  name: string;
  meaning: string;
  value: number;
  maximum: number;
  percent?: boolean;
}

function Part({ name, meaning, value, maximum, percent = false }: PartProps) {
  return (
    <div className={classes.part}>
      <p className={classes.partTop}>
        <span>{name}</span>
        <span className={classes.number}>
          {percent ? `${Math.round(value * 100)}%` : `${points(value)} / ${points(maximum)}`}
        </span>
      </p>
      <div
        role="meter"
        aria-label={name}
        aria-valuenow={Math.round(value * 100) / 100}
        aria-valuemin={0}
        aria-valuemax={maximum}
        className={classes.thin}
      >
        <div
          className={classes.fill}
          data-muted={percent || undefined}
          style={{ width: share(value, maximum) }}
        />
      </div>
      <p className={classes.soft}>{meaning}</p>
    </div>
  );
}

function points(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

function share(value: number, full: number): string {
  return `${full > 0 ? Math.min(100, Math.max(0, (value / full) * 100)) : 0}%`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
